//! Rows of what explains the gaps between groups.

use super::{Cell, real, text};
use crate::audit::{AttributionGap, Proxy};

pub(super) const ATTRIBUTION_GAPS: &str =
    "run_id, attribute, group_value, reference, condition, feature, output, n, n_reference,
    difference, ci_low, ci_high, p_value, p_adjusted";

pub(super) fn attribution_gap<'a>(run_id: &'a str, g: &'a AttributionGap) -> [Cell<'a>; 14] {
    [
        text(run_id),
        text(&g.attribute),
        text(&g.group_value),
        text(&g.reference),
        text(&g.condition),
        text(&g.feature),
        text(&g.output),
        Cell::Count(g.n),
        Cell::Count(g.n_reference),
        Cell::Real(g.difference),
        real(g.ci_low),
        real(g.ci_high),
        real(g.p_value),
        real(g.p_adjusted),
    ]
}

pub(super) const PROXIES: &str =
    "run_id, attribute, feature, n, mutual_information, uncertainty_coefficient, cramers_v, p_value,
    auc, attribution_share";

pub(super) fn proxy<'a>(run_id: &'a str, p: &'a Proxy) -> [Cell<'a>; 10] {
    [
        text(run_id),
        text(&p.attribute),
        text(&p.feature),
        Cell::Count(p.n),
        Cell::Real(p.mutual_information),
        Cell::Real(p.uncertainty_coefficient),
        Cell::Real(p.cramers_v),
        real(p.p_value),
        real(p.auc),
        real(p.attribution_share),
    ]
}
