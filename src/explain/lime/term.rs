//! Conditions in words that a reader of the data understands.

/// Significant digits that are usually enough to tell quantiles apart.
const DIGITS: usize = 4;
/// Digits that tell any two numbers apart.
const ALL_DIGITS: usize = 17;

/// The condition of belonging to the bin between `bounds[bin − 1]` and `bounds[bin]`; the last bin is the missing one.
pub(super) fn between(name: &str, bounds: &[f64], bin: usize) -> String {
    if bin > bounds.len() {
        return missing(name);
    }
    let digits = digits_that_differ(bounds);
    let below = bin.checked_sub(1).and_then(|at| bounds.get(at)).map(|bound| number(*bound, digits));
    let above = bounds.get(bin).map(|bound| number(*bound, digits));
    match (below, above) {
        (None, Some(above)) => format!("{name} <= {above}"),
        (Some(below), Some(above)) => format!("{below} < {name} <= {above}"),
        (Some(below), None) => format!("{name} > {below}"),
        (None, None) => format!("{name} is not missing"),
    }
}

/// The condition of being this number.
pub(super) fn equals_number(name: &str, x: f64) -> String {
    if x.is_nan() { missing(name) } else { format!("{name} = {}", number(x, DIGITS)) }
}

/// The condition of being a code, by its name where it has one.
pub(super) fn equals_code(name: &str, code: f64, levels: &[String]) -> String {
    let is_position = code >= 0.0 && code.fract() == 0.0;
    match levels.get(code as usize).filter(|_| is_position) {
        Some(level) => format!("{name} = {level}"),
        None if code.is_nan() => missing(name),
        None => format!("{name} = {}", number(code, ALL_DIGITS)),
    }
}

/// The condition of being this text.
pub(super) fn equals_text(name: &str, text: Option<&str>) -> String {
    text.map_or_else(|| missing(name), |text| format!("{name} = {text}"))
}

fn missing(name: &str) -> String {
    format!("{name} is missing")
}

/// Fewest digits from [`DIGITS`] on with which all bounds look different.
fn digits_that_differ(bounds: &[f64]) -> usize {
    let differ = |digits: usize| bounds.windows(2).all(|pair| number(pair[0], digits) != number(pair[1], digits));
    (DIGITS..ALL_DIGITS).find(|digits| differ(*digits)).unwrap_or(ALL_DIGITS)
}

/// A number to `digits` significant digits, whole numbers below a billion in full.
fn number(x: f64, digits: usize) -> String {
    if x.fract() == 0.0 && x.abs() < 1e9 {
        return format!("{}", x + 0.0);
    }
    let rounded: f64 = format!("{x:.*e}", digits - 1).parse().unwrap_or(x);
    let is_plain = (1e-4..1e15).contains(&rounded.abs()) || !rounded.is_finite();
    if is_plain { format!("{rounded}") } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_read_as_comparisons() {
        let bounds = [28.0, 37.0, 48.0];
        let read: Vec<String> = (0..5).map(|bin| between("age", &bounds, bin)).collect();
        assert_eq!(read, ["age <= 28", "28 < age <= 37", "37 < age <= 48", "age > 48", "age is missing"]);
        assert_eq!(between("age", &[], 0), "age is not missing");
        assert_eq!(between("age", &[], 1), "age is missing");
    }

    #[test]
    fn bounds_are_short_but_different() {
        assert_eq!(between("bp", &[-0.036656, 0.005670], 1), "-0.03666 < bp <= 0.00567");
        assert_eq!(between("x", &[1.000_01, 1.000_02], 1), "1.00001 < x <= 1.00002");
        assert_eq!(between("income", &[123_456.78], 1), "income > 123500");
        assert_eq!(between("tiny", &[1.23456e-9], 0), "tiny <= 1.235e-9");
    }

    #[test]
    fn codes_read_as_their_names() {
        let levels = ["Female".to_string(), "Male".to_string()];
        let read = [1.0, 0.0, -0.0, 2.0, -1.0, 0.5, f64::NAN].map(|code| equals_code("sex", code, &levels));
        let expected = ["Male", "Female", "Female", "2", "-1", "0.5"].map(|level| format!("sex = {level}"));
        assert_eq!(read[..6], expected);
        assert_eq!(read[6], "sex is missing");
        assert_eq!(equals_text("sex", Some("Male")), "sex = Male");
        assert_eq!(equals_text("sex", None), "sex is missing");
        assert_eq!(equals_number("age", 39.25), "age = 39.25");
    }
}
