//! Rows of which classes are taken for which: over all rows, then by group.

use super::{Cell, text};
use crate::audit::{Audit, ConfusionCell};

pub(super) const CONFUSION: &str = "run_id, attribute, group_value, actual, predicted, n, weight";

pub(super) fn confusion(audit: &Audit) -> impl Iterator<Item = [Cell<'_>; 7]> {
    let run_id = audit.run.run_id.as_str();
    let all = audit.confusion.iter().map(|cell| ("", "", cell));
    let by_group = audit.confusion_by_group.iter();
    let groups = by_group.map(|group| (group.attribute.as_str(), group.group_value.as_str(), &group.cell));
    all.chain(groups).map(move |(attribute, group, cell)| row(run_id, [attribute, group], cell))
}

fn row<'a>(run_id: &'a str, [attribute, group]: [&'a str; 2], cell: &'a ConfusionCell) -> [Cell<'a>; 7] {
    [
        text(run_id),
        text(attribute),
        text(group),
        text(&cell.label),
        text(&cell.decision),
        Cell::Count(cell.n),
        Cell::Real(cell.weight),
    ]
}
