//! What of a network's inside may be published.

use super::cell::is_small;
use super::{Depth, Withheld};
use crate::audit::{LayerActivity, LayerProbe};

/// Statistics over all rows, and by group where no group of the attribute is withheld or has few rows in the sample:
/// from the others and all rows its own could be worked out. Least and greatest numbers are those of single rows.
pub fn activities(layers: &[LayerActivity], withheld: &Withheld, limit: u64) -> Vec<LayerActivity> {
    let small =
        |attribute: &str| layers.iter().any(|layer| layer.attribute == attribute && is_small(layer.n as i64, limit));
    let shown = |layer: &&LayerActivity| {
        let by_group = !layer.group_value.is_empty();
        !by_group || !(touches(withheld, &layer.attribute) || small(&layer.attribute))
    };
    let published = |layer: &LayerActivity| LayerActivity {
        minimum: None,
        maximum: None,
        separability: layer.separability.filter(|_| !hides(withheld, &layer.attribute)),
        ..layer.clone()
    };
    layers.iter().filter(shown).map(published).collect()
}

/// Probes of what is not withheld.
pub fn probes(probes: &[LayerProbe], withheld: &Withheld) -> Vec<LayerProbe> {
    probes.iter().filter(|probe| !hides(withheld, &probe.attribute)).cloned().collect()
}

fn hides(withheld: &Withheld, attribute: &str) -> bool {
    if attribute.is_empty() { withheld.hides("", "", Depth::Outcomes) } else { touches(withheld, attribute) }
}

/// Whether anything is withheld of an attribute that shares a column with this one.
fn touches(withheld: &Withheld, attribute: &str) -> bool {
    let shares = |other: &String| other.split(',').any(|column| attribute.split(',').any(|own| own == column));
    withheld.cells.keys().any(|(other, _)| shares(other))
}

#[cfg(test)]
mod tests {
    use super::super::Why;
    use super::*;

    fn layer(attribute: &str, group: &str, n: u64) -> LayerActivity {
        LayerActivity {
            layer: "relu".into(),
            op: "Relu".into(),
            shape: "[N, 4]".into(),
            parameters: 20,
            attribute: attribute.into(),
            group_value: group.into(),
            n,
            units: 4,
            mean: Some(0.5),
            std: Some(1.0),
            zero_fraction: Some(0.4),
            minimum: Some(0.0),
            maximum: Some(9.0),
            dead_units: Some(1),
            separability: group.is_empty().then_some(0.7),
        }
    }

    fn layers() -> Vec<LayerActivity> {
        vec![
            layer("", "", 100),
            layer("sex", "", 100),
            layer("sex", "F", 40),
            layer("sex", "M", 60),
            layer("race", "", 100),
            layer("race", "A", 97),
            layer("race", "B", 3),
        ]
    }

    fn shown(withheld: &Withheld) -> Vec<(String, String)> {
        let published = activities(&layers(), withheld, 5);
        assert!(published.iter().all(|layer| layer.minimum.is_none() && layer.maximum.is_none()));
        published.into_iter().map(|layer| (layer.attribute, layer.group_value)).collect()
    }

    fn names(names: &[(&str, &str)]) -> Vec<(String, String)> {
        names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn a_group_of_few_rows_hides_all_groups_of_its_attribute() {
        let found = shown(&Withheld::default());
        assert_eq!(found, names(&[("", ""), ("sex", ""), ("sex", "F"), ("sex", "M"), ("race", "")]));
    }

    #[test]
    fn what_is_withheld_elsewhere_hides_groups_and_probes_that_share_a_column() {
        let mut withheld = Withheld::default();
        withheld.add("sex,race", "F,B", Depth::Outcomes, Why::Primary);
        assert_eq!(shown(&withheld), names(&[("", ""), ("sex", ""), ("race", "")]));
        let separable = activities(&layers(), &withheld, 5);
        assert_eq!(separable.iter().map(|l| l.separability).collect::<Vec<_>>(), [Some(0.7), None, None]);
        let probe = |attribute: &str| LayerProbe {
            layer: "relu".into(),
            attribute: attribute.into(),
            measure: "roc_auc".into(),
            value: Some(0.7),
            undefined_reason: None,
            ci_low: Some(0.6),
            ci_high: Some(0.8),
            baseline: Some(0.5),
            n_train: 70,
            n_test: 30,
            n_classes: 2,
            n_inputs: 4,
            reduction: "all numbers".into(),
        };
        let all = [probe(""), probe("sex"), probe("age")];
        let kept: Vec<String> = probes(&all, &withheld).into_iter().map(|probe| probe.attribute).collect();
        assert_eq!(kept, ["", "age"]);
    }
}
