//! The nights of a pipeline as a calendar: a row a month, a cell a day.

use super::pages::{Night, mark};
use crate::report::text::say;
use crate::report::words;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Month {
    /// "November 2026".
    pub name: String,
    /// Days 1 to 31; what the month does not have is not there.
    pub days: Vec<Day>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(super) struct Day {
    pub class: &'static str,
    pub icon: &'static str,
    /// "21 November 2026: Pass".
    pub title: String,
    /// The page of the night's run; empty where there was none.
    pub link: String,
}

/// Months from the latest to the earliest that has a run, those between included.
pub(super) fn months(nights: &[&Night<'_>]) -> Vec<Month> {
    let of_day = |date: &str| nights.iter().rev().find(|night| night.run.as_of == date);
    let (Some(first), Some(last)) = (nights.first().and_then(year_month), nights.last().and_then(year_month)) else {
        return Vec::new();
    };
    let month = |at: i32| {
        let (year, month) = (at.div_euclid(12), at.rem_euclid(12) + 1);
        let name = words::month(year, month as u8);
        let days = (1..=days_in(year, month)).map(|day| {
            let date = format!("{year:04}-{month:02}-{day:02}");
            of_day(&date).map_or_else(Day::default, |night| cell(night))
        });
        Month { name, days: days.collect() }
    };
    (first..=last).rev().map(month).collect()
}

fn cell(night: &Night<'_>) -> Day {
    let mark = mark(night.run);
    Day {
        class: mark.class,
        icon: mark.icon,
        title: say!("site.day", date = words::date(&night.run.as_of), verdict = mark.word),
        link: format!("{}.html", night.run.run_id),
    }
}

/// Months since year 0.
fn year_month(night: &&Night<'_>) -> Option<i32> {
    let mut parts = night.run.as_of.split('-').map(|part| part.parse::<i32>().ok());
    let (year, month) = (parts.next()??, parts.next()??);
    Some(year * 12 + month - 1)
}

fn days_in(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_their_days() {
        assert_eq!([days_in(2026, 11), days_in(2026, 2), days_in(2028, 2), days_in(2100, 2)], [30, 28, 29, 28]);
    }
}
