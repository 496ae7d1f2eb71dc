//! Which features tell the groups, beside how much they count for the model.

use crate::audit::Proxy;
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::Part;
use crate::report::words;

/// Most features of one attribute.
const MAX_FEATURES: usize = 15;
/// Association from which a feature is called a possible proxy: "medium" by Cohen's reading of Cramér's V.
const TELLING: f64 = 0.3;

/// One part for all single attributes; absent where nothing was measured.
pub fn part(lookup: &Lookup) -> Option<Part> {
    let single = lookup.audit.scope.attributes.iter().map(|scope| scope.attribute.as_str());
    let single: Vec<&str> = single.filter(|attribute| !attribute.contains(',')).collect();
    let tables: Vec<Table> = single.iter().filter_map(|attribute| table(lookup, attribute)).collect();
    let sentences = single.iter().filter_map(|attribute| sentence(lookup, attribute)).collect();
    (!tables.is_empty()).then(|| Part { sentences, tables, ..Part::titled(say!("proxies.title")) })
}

/// Strongest first; equals in the order of the features.
fn ranked<'a>(lookup: &Lookup<'a>, attribute: &str) -> Vec<&'a Proxy> {
    let mut proxies: Vec<&Proxy> = lookup.audit.proxies.iter().filter(|proxy| proxy.attribute == attribute).collect();
    proxies.sort_by(|a, b| b.cramers_v.total_cmp(&a.cramers_v));
    proxies
}

fn sentence(lookup: &Lookup, attribute: &str) -> Option<String> {
    let proxies = ranked(lookup, attribute);
    let n = proxies.first()?.n;
    let features = proxies.len();
    let counts = |proxy: &&&Proxy| proxy.attribution_share.is_some_and(|share| share * features as f64 >= 1.0);
    let named: Vec<String> = proxies
        .iter()
        .filter(|proxy| proxy.feature != attribute && proxy.cramers_v >= TELLING)
        .filter(counts)
        .map(|proxy| label::shorten(&proxy.feature, 40))
        .collect();
    let attribute = label::attribute(attribute);
    let rule = say!("proxies.rule", limit = TELLING.to_string());
    let rows = words::rows(n);
    Some(match named.as_slice() {
        [] => {
            say!("proxies.none", attribute = attribute, rule = rule, rows = rows)
        }
        names => say!("proxies.some", attribute = attribute, features = names.join(", "), rule = rule, rows = rows),
    })
}

fn table(lookup: &Lookup, attribute: &str) -> Option<Table> {
    let proxies = ranked(lookup, attribute);
    let n = proxies.first()?.n;
    let mut table = Table::new(
        say!("proxies.table", attribute = label::attribute(attribute), n = n),
        &heads!("feature cram_r_s_v share_of_entropy_told auc share_of_attributions"),
    );
    for proxy in proxies.iter().take(MAX_FEATURES) {
        let share = |value: f64| number::with_unit(Unit::Share, value);
        let optional = |text: Option<String>| text.map_or(Cell::none(), Cell::number);
        let cells = vec![
            Cell::number(number::plain(Unit::Index, proxy.cramers_v)).with_sub(proxy.p_value.map(number::p_value)),
            Cell::number(share(proxy.uncertainty_coefficient)),
            optional(proxy.auc.map(|auc| number::plain(Unit::Index, auc))),
            optional(proxy.attribution_share.map(share)),
        ];
        table.push(Label::fit(&proxy.feature, 60), cells);
        if let Some(row) = table.rows.last_mut().filter(|_| proxy.feature == attribute) {
            row.remark = Some(say!("proxies.itself"));
        }
    }
    table.shown = words::shown_of("features_telling", table.rows.len(), proxies.len());
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn proxy(feature: &str, cramers_v: f64, share: f64) -> Proxy {
        Proxy {
            attribute: "sex".into(),
            feature: feature.into(),
            n: 9_000,
            mutual_information: 0.1,
            uncertainty_coefficient: 0.2,
            cramers_v,
            p_value: Some(0.0),
            auc: None,
            attribution_share: Some(share),
        }
    }

    #[test]
    fn only_what_tells_the_group_and_counts_for_the_model_is_named() {
        let mut audit = example::binary();
        audit.proxies = vec![
            proxy("hours", 0.1, 0.6),
            proxy("relationship", 0.6, 0.3),
            proxy("colour", 0.5, 0.01),
            proxy("sex", 1.0, 0.09),
        ];
        let part = part(&Lookup::new(&audit)).unwrap();
        assert!(part.sentences[0].contains("relationship may stand in"), "{}", part.sentences[0]);
        assert!(!part.sentences[0].contains("hours") && !part.sentences[0].contains("colour"));
        let rows: Vec<&str> = part.tables[0].rows.iter().map(|row| row.head.text.as_str()).collect();
        assert_eq!(rows, ["sex", "relationship", "colour", "hours"]);
        assert_eq!(part.tables[0].rows[0].remark.as_deref(), Some("the attribute itself"));
    }

    #[test]
    fn nothing_telling_is_no_proof() {
        let mut audit = example::binary();
        assert_eq!(part(&Lookup::new(&audit)), None);
        audit.proxies = vec![proxy("hours", 0.1, 0.6)];
        assert!(part(&Lookup::new(&audit)).unwrap().sentences[0].contains("may still tell it"));
    }
}
