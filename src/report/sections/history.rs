//! What came before: gates and metrics from night to night, ranks and distributions since the baseline run.

use super::nights::{self, Nights};
use super::{drift, nights_told};
use crate::report::lookup::Lookup;
use crate::report::text::say;
use crate::report::view::{Part, Section};

pub fn section(lookup: &Lookup) -> Option<Section> {
    let by_night = Nights::of(lookup).map(|nights| Part {
        sentences: nights_told::metrics(&nights.metrics(lookup)),
        figures: nights::figures(lookup, &nights),
        ..Part::titled(say!("history.by_night"))
    });
    let parts = by_night.into_iter().chain(drift::parts(lookup)).collect();
    Some(Section::of("history", say!("history.title"), parts)?.with_lede(say!("history.lede")))
}
