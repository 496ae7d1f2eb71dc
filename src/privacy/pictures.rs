//! What of pictures and of a confusion matrix is published.

use super::cell::is_small;
use super::{Depth, Entry, Why, Withheld};
use crate::audit::{ConfusionCell, MeanMap, Pictures};

/// A picture is a row: none is shown. Mean maps are shown where no group of the attribute is withheld, and each of them
/// is of no row or of enough.
pub fn published(
    pictures: Option<&Pictures>,
    withheld: &Withheld,
    limit: u64,
    log: &mut Vec<Entry>,
) -> Option<Pictures> {
    let pictures = pictures?;
    if !pictures.overlays.is_empty() {
        log.push(Entry::of("", "single pictures", Why::Primary));
    }
    let few = |attribute: &str| {
        let maps = pictures.mean_maps.iter().filter(|map| map.attribute == attribute);
        maps.clone().any(|map| is_small(map.n as i64, limit))
    };
    let hides = |attribute: &str| withheld.hides_any(attribute, Depth::Decisions) || few(attribute);
    let mut attributes: Vec<&str> = pictures.mean_maps.iter().map(|map| map.attribute.as_str()).collect();
    attributes.dedup();
    let hidden: Vec<&str> = attributes.into_iter().filter(|attribute| hides(attribute)).collect();
    for attribute in &hidden {
        log.push(Entry::of(attribute, "mean maps", if few(attribute) { Why::Primary } else { Why::Complementary }));
    }
    let shown = |map: &&MeanMap| !hidden.contains(&map.attribute.as_str());
    let mean_maps: Vec<MeanMap> = pictures.mean_maps.iter().filter(shown).cloned().collect();
    // Pictures explained in all less those of the groups would tell of those that are in none.
    (!mean_maps.is_empty()).then(|| Pictures { overlays: Vec::new(), mean_maps, ..pictures.clone() })
}

/// All of it or, where a count is small or the counts of classes are withheld, nothing: its totals are shown elsewhere.
pub fn confusion(cells: &[ConfusionCell], withheld: &Withheld, limit: u64, log: &mut Vec<Entry>) -> Vec<ConfusionCell> {
    let few = cells.iter().any(|cell| is_small(cell.n as i64, limit));
    if !few && !withheld.hides("", "", Depth::Outcomes) {
        return cells.to_vec();
    }
    if !cells.is_empty() {
        log.push(Entry::of("", "classes taken for others", if few { Why::Primary } else { Why::Complementary }));
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Overlay;

    fn map(attribute: &str, group: &str, n: u64) -> MeanMap {
        MeanMap { attribute: attribute.into(), group_value: group.into(), n, ..Default::default() }
    }

    #[test]
    fn single_pictures_and_means_of_few_are_withheld_and_said_to_be() {
        let pictures = Pictures {
            overlays: vec![Overlay::default()],
            mean_maps: vec![map("", "7", 40), map("", "1", 30), map("sex", "F", 3), map("sex", "M", 67)],
            ..Default::default()
        };
        let mut log = Vec::new();
        let shown = published(Some(&pictures), &Withheld::default(), 10, &mut log).unwrap();
        assert!(shown.overlays.is_empty());
        assert_eq!(shown.mean_maps, [map("", "7", 40), map("", "1", 30)]);
        let said: Vec<&str> = log.iter().map(|entry| entry.what.as_str()).collect();
        assert_eq!(said, ["single pictures", "mean maps"]);
    }

    #[test]
    fn a_matrix_with_a_small_cell_is_withheld_as_a_whole() {
        let cell = |n| ConfusionCell { n, ..Default::default() };
        let mut log = Vec::new();
        assert_eq!(confusion(&[cell(12), cell(10)], &Withheld::default(), 10, &mut log).len(), 2);
        assert!(log.is_empty());
        assert!(confusion(&[cell(12), cell(9)], &Withheld::default(), 10, &mut log).is_empty());
        assert_eq!(log.len(), 1);
    }
}
