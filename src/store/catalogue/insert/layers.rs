//! Rows of what a network does inside.

use super::{Cell, optional_text, real, text};
use crate::audit::{LayerActivity, LayerProbe};

pub(super) const LAYERS: &str =
    "run_id, layer, op, shape, parameters, attribute, group_value, mean, std, zero_fraction, dead_units,
    separability, n, units, minimum, maximum";

pub(super) fn layer<'a>(run_id: &'a str, l: &'a LayerActivity) -> [Cell<'a>; 16] {
    [
        text(run_id),
        text(&l.layer),
        text(&l.op),
        text(&l.shape),
        Cell::Count(l.parameters),
        text(&l.attribute),
        text(&l.group_value),
        real(l.mean),
        real(l.std),
        real(l.zero_fraction),
        l.dead_units.map_or(Cell::Null, Cell::Count),
        real(l.separability),
        Cell::Count(l.n),
        Cell::Count(l.units),
        real(l.minimum),
        real(l.maximum),
    ]
}

pub(super) const LAYER_PROBES: &str =
    "run_id, layer, attribute, measure, value, undefined_reason, ci_low, ci_high, baseline, n_train,
    n_test, n_classes, n_inputs, reduction";

pub(super) fn layer_probe<'a>(run_id: &'a str, p: &'a LayerProbe) -> [Cell<'a>; 14] {
    [
        text(run_id),
        text(&p.layer),
        text(&p.attribute),
        text(&p.measure),
        real(p.value),
        optional_text(p.undefined_reason.as_deref()),
        real(p.ci_low),
        real(p.ci_high),
        real(p.baseline),
        Cell::Count(p.n_train),
        Cell::Count(p.n_test),
        Cell::Count(p.n_classes),
        Cell::Count(p.n_inputs),
        text(&p.reduction),
    ]
}
