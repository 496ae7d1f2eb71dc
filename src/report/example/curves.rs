//! Curves of the example audits.

use crate::audit::CurvePoint;

pub(super) fn curves() -> Vec<CurvePoint> {
    let point = |kind: &str, feature: &str, group: &str, x: f64, y: f64| CurvePoint {
        kind: kind.into(),
        feature: feature.into(),
        group_value: group.into(),
        output: ">50K".into(),
        x,
        y,
        n: 100,
        ci_low: Some((y - 0.05).max(0.0)),
        ci_high: Some((y + 0.05).min(1.0)),
    };
    let tenths: Vec<f64> = (0..10).map(|i| f64::from(i) / 10.0).collect();
    let places = [("", ""), ("sex", "Female"), ("sex", "Male")];
    let at = |(attribute, group): (&str, &str)| {
        let curve = |kind: &str, y: &dyn Fn(f64) -> f64| -> Vec<CurvePoint> {
            tenths.iter().map(|x| point(kind, attribute, group, *x, y(*x))).collect()
        };
        [
            curve("roc", &|x| x.sqrt()),
            curve("pr", &|x| 1.0 - 0.5 * x),
            curve("calibration", &|x| x),
            curve("score_histogram", &|_| 0.1),
            curve("threshold", &|x| 1.0 - x),
            attacked(attribute, group),
        ]
        .concat()
    };
    places.into_iter().flat_map(at).collect()
}

/// Shares over the sizes of changes.
fn attacked(attribute: &str, group: &str) -> Vec<CurvePoint> {
    let curve = |kind: &'static str, share: fn(f64) -> f64| {
        [0.0, 0.1, 0.2].into_iter().map(move |x| CurvePoint {
            kind: kind.to_owned(),
            feature: attribute.to_owned(),
            group_value: group.to_owned(),
            output: ">50K".into(),
            x,
            y: share(x),
            n: 100,
            ci_low: Some((share(x) - 0.05).max(0.0)),
            ci_high: Some((share(x) + 0.05).min(1.0)),
        })
    };
    let turned = curve("adversarial_flip_rate", |x| 2.0 * x);
    turned.chain(curve("adversarial_flip_rate_fgsm", |x| x)).chain(curve("robust_accuracy", |x| 0.9 - x)).collect()
}
