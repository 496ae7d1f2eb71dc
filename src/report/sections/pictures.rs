//! Pictures with what their parts add to the score: some of every class, confident errors, means of classes and groups.

use crate::audit::{DrawnMap, MeanMap, Overlay, Pictures};
use crate::report::charts::overlay;
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number::{self, Unit};
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Gallery, Hanging, Part, Section};
use crate::report::words;

/// Most pictures on a page, and most mean maps of one attribute.
const MAX_CHOSEN: usize = 36;
const MAX_ERRORS: usize = 12;
const MAX_MEANS: usize = 12;
/// Most attributes with mean maps.
const MAX_ATTRIBUTES: usize = 4;
/// Classes told under a picture.
const MAX_PROBABILITIES: usize = 3;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let pictures = lookup.audit.pictures.as_ref()?;
    let drawn = Drawn { lookup, pictures };
    let is_error = |overlay: &&Overlay| overlay.chosen_as.ends_with("error");
    let (errors, chosen): (Vec<&Overlay>, Vec<&Overlay>) = pictures.overlays.iter().partition(is_error);
    let regression = lookup.is_regression();
    let about_chosen = if regression { say!("pictures.chosen_values") } else { say!("pictures.chosen_classes") };
    let about_errors = if regression { say!("pictures.errors_values") } else { say!("pictures.errors_classes") };
    let parts = vec![
        drawn.part([say!("pictures.chosen"), about_chosen], "chosen", &chosen, MAX_CHOSEN),
        drawn.part([say!("pictures.errors"), about_errors], "errors", &errors, MAX_ERRORS),
        drawn.means(),
    ];
    Some(Section::of("pictures", say!("pictures.title"), parts)?.with_lede(say!("pictures.lede")))
}

struct Drawn<'a> {
    lookup: &'a Lookup<'a>,
    pictures: &'a Pictures,
}

impl Drawn<'_> {
    fn size(&self) -> (usize, usize) {
        (self.pictures.drawn_height as usize, self.pictures.drawn_width as usize)
    }

    fn part(&self, [title, about]: [String; 2], id: &str, overlays: &[&Overlay], most: usize) -> Part {
        let shown = &overlays[..overlays.len().min(most)];
        let hung =
            shown.iter().map(|one| (&one.map, self.head(one), self.lines(one), self.alt(one))).collect::<Vec<_>>();
        let note = words::shown_of("pictures", shown.len(), overlays.len());
        let table = self.table(shown);
        Part { galleries: self.gallery((id, about, note), hung, table).into_iter().collect(), ..Part::titled(title) }
    }

    /// One scale for all its pictures; `None` without any.
    fn gallery(
        &self,
        (id, title, note): (&str, String, Option<String>),
        hung: Vec<(&DrawnMap, Label, Vec<String>, String)>,
        table: Table,
    ) -> Option<Gallery> {
        let limit = overlay::limit(hung.iter().map(|(map, ..)| *map));
        let (height, width) = self.size();
        let pictures: Vec<Hanging> = hung
            .into_iter()
            .filter_map(|(map, head, lines, alt)| {
                Some(Hanging { image: overlay::draw(map, height, width, limit)?, alt, head, lines })
            })
            .collect();
        let step = self.pictures.height.div_ceil(self.pictures.drawn_height.max(1));
        let size = number::significant(limit, 2);
        let raises = match step {
            1 => say!("pictures.raises", size = &size),
            step => say!("pictures.raises_square", size = &size, step = step),
        };
        (!pictures.is_empty()).then(|| Gallery {
            id: format!("pictures-{id}"),
            title,
            note,
            folded: false,
            legend: overlay::legend(),
            legend_ends: [say!("pictures.lowers", size = size), raises],
            pictures,
            table,
        })
    }

    fn score(&self, overlay: &Overlay) -> String {
        match self.lookup.is_regression() {
            true => number::plain(Unit::Value, overlay.score),
            false => number::probability(overlay.score),
        }
    }

    /// "7, most certain".
    fn head(&self, overlay: &Overlay) -> Label {
        let what = if overlay.decision.is_empty() { self.score(overlay) } else { overlay.decision.clone() };
        Label::fit(&say!("pictures.head", what = what, chosen_as = &overlay.chosen_as), 60)
    }

    fn lines(&self, overlay: &Overlay) -> Vec<String> {
        let most = overlay.probabilities.iter().take(MAX_PROBABILITIES);
        let told: Vec<String> =
            most.map(|p| format!("{}: {}", label::shorten(&p.class, 16), number::probability(p.probability))).collect();
        let row = label::shorten(&overlay.row_id, 24);
        let first = match &overlay.label {
            Some(label) => say!("pictures.row_with_label", label = label::shorten(label, 24), row = row),
            None => say!("pictures.row", row = row),
        };
        std::iter::once(first).chain((!told.is_empty()).then(|| told.join(", "))).collect()
    }

    fn alt(&self, overlay: &Overlay) -> String {
        let row = label::shorten(&overlay.row_id, 40);
        let decision = label::shorten(&overlay.decision, 40);
        let (score, places) = (self.score(overlay), self.places(&overlay.map));
        match (decision.is_empty(), overlay.label.as_ref().map(|label| label::shorten(label, 40))) {
            (true, None) => say!("pictures.alt_predicted", row = row, score = score, places = places),
            (true, Some(label)) => {
                say!("pictures.alt_predicted_with_label", row = row, score = score, label = label, places = places)
            }
            (false, None) => {
                say!("pictures.alt_decided", row = row, decision = decision, score = score, places = places)
            }
            (false, Some(label)) => say!(
                "pictures.alt_decided_with_label",
                row = row,
                decision = decision,
                score = score,
                label = label,
                places = places
            ),
        }
    }

    /// "Raised most at the upper left, lowered most at the middle right."
    fn places(&self, map: &DrawnMap) -> String {
        let (height, width) = self.size();
        let mut thirds = [[0.0; 9]; 2];
        for row in 0..height {
            for column in 0..width {
                let value = map.attribution(row * width + column);
                let third = 3 * (3 * row / height.max(1)) + 3 * column / width.max(1);
                thirds[usize::from(value < 0.0)][third] += value.abs();
            }
        }
        let most = |sums: &[f64; 9]| {
            let (at, sum) =
                (0..9).map(|at| (at, sums[at])).fold((0, 0.0), |best, it| if it.1 > best.1 { it } else { best });
            (sum > 0.0).then(|| place(at))
        };
        match (most(&thirds[0]), most(&thirds[1])) {
            (Some(raised), Some(lowered)) => say!("pictures.raised_and_lowered", raised = raised, lowered = lowered),
            (Some(raised), None) => say!("pictures.raised", raised = raised),
            (None, Some(lowered)) => say!("pictures.lowered", lowered = lowered),
            (None, None) => say!("pictures.nowhere"),
        }
    }

    fn table(&self, overlays: &[&Overlay]) -> Table {
        let heads = match self.lookup.is_regression() {
            true => heads!("row chosen_as| decision| label| prediction most_probable_classes| map|"),
            false => heads!("row chosen_as| decision| label| probability_of_the_decision most_probable_classes| map|"),
        };
        let mut table = Table::new(say!("pictures.table"), &heads);
        for overlay in overlays {
            let classes: Vec<String> = overlay
                .probabilities
                .iter()
                .map(|p| format!("{}: {}", label::shorten(&p.class, 24), number::probability(p.probability)))
                .collect();
            let cells = vec![
                Cell::text(&overlay.chosen_as),
                Cell::text(&overlay.decision),
                Cell::text(overlay.label.as_deref().unwrap_or("–")),
                Cell::number(self.score(overlay)),
                Cell::text(&classes.join(", ")),
                Cell::text(&self.places(&overlay.map)),
            ];
            table.push(Label::fit(&overlay.row_id, 40), cells);
        }
        table
    }

    /// Mean maps by class decided for, then by group.
    fn means(&self) -> Part {
        let mut attributes: Vec<&str> = self.pictures.mean_maps.iter().map(|map| map.attribute.as_str()).collect();
        attributes.dedup();
        let shown = attributes.len().min(MAX_ATTRIBUTES + 1);
        let galleries = attributes[..shown].iter().enumerate().filter_map(|(at, attribute)| self.mean(at, attribute));
        Part { galleries: galleries.collect(), ..Part::titled(say!("pictures.means")) }
    }

    fn mean(&self, at: usize, attribute: &str) -> Option<Gallery> {
        let all: Vec<&MeanMap> = self.pictures.mean_maps.iter().filter(|map| map.attribute == attribute).collect();
        let shown = &all[..all.len().min(MAX_MEANS)];
        let name = |map: &MeanMap| match attribute {
            "" => map.group_value.clone(),
            attribute => label::group(attribute, &map.group_value),
        };
        let rows = |map: &MeanMap| say!("count.pictures", n = map.n);
        let hung = shown.iter().map(|map| {
            let places = self.places(&map.map);
            let alt = say!("pictures.mean_alt", name = name(map), pictures = rows(map), places = places);
            let few = !attribute.is_empty() && map.n < self.lookup.audit.scope.min_group_rows;
            let lines = [Some(rows(map)), few.then(|| say!("pictures.too_few"))];
            (&map.map, Label::fit(&name(map), 40), lines.into_iter().flatten().collect(), alt)
        });
        let hung = hung.collect::<Vec<_>>();
        let (title, caption) = match attribute {
            "" => (say!("pictures.mean_class"), say!("pictures.mean_table_class")),
            _ => {
                let by = label::attribute(attribute);
                (say!("pictures.mean_group", attribute = &by), say!("pictures.mean_table_group", attribute = &by))
            }
        };
        let mut table = Table::new(caption, &heads!("group pictures largest_part map|"));
        for map in shown {
            let cells = vec![
                Cell::count(map.n),
                Cell::number(number::significant(map.map.largest, 2)),
                Cell::text(&self.places(&map.map)),
            ];
            table.push(Label::fit(&name(map), 40), cells);
        }
        let note = words::shown_of("mean_maps", shown.len(), all.len());
        self.gallery((&format!("mean-{at}"), title, note), hung, table)
    }
}

/// Where a ninth of a picture lies, row by row.
fn place(ninth: usize) -> String {
    match ninth {
        0 => say!("pictures.upper_left"),
        1 => say!("pictures.top"),
        2 => say!("pictures.upper_right"),
        3 => say!("pictures.left"),
        4 => say!("pictures.centre"),
        5 => say!("pictures.right"),
        6 => say!("pictures.lower_left"),
        7 => say!("pictures.bottom"),
        _ => say!("pictures.lower_right"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, Probability};
    use crate::report::{example, json, markdown, render};

    /// Bytes without any order, which do not pack.
    fn noise(n: usize, seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    fn map(side: usize, seed: u64) -> DrawnMap {
        let values: Vec<f64> = noise(side * side, seed + 1).iter().map(|byte| f64::from(*byte) - 127.5).collect();
        DrawnMap::new(noise(side * side, seed), &values)
    }

    fn overlay(at: u64, side: usize) -> Overlay {
        Overlay {
            row_id: format!("row <{at}>"),
            chosen_as: if at.is_multiple_of(4) { "confident error" } else { "most certain" }.to_owned(),
            decision: "<b>7</b>".into(),
            label: Some("1".into()),
            output: "7".into(),
            score: 0.9,
            probabilities: vec![Probability { class: "<b>7</b>".into(), probability: 0.9 }],
            map: map(side, at),
        }
    }

    fn audit(n: u64, side: usize) -> Audit {
        let mean = |group: u64| MeanMap {
            attribute: if group < 12 { "" } else { "sex" }.to_owned(),
            group_value: group.to_string(),
            n: 10 + group,
            map: map(side, group),
        };
        let side_of = side as u64;
        Audit {
            pictures: Some(Pictures {
                height: side_of,
                width: side_of,
                channels: 1,
                drawn_height: side_of,
                drawn_width: side_of,
                n_explained: 500,
                overlays: (0..n).map(|at| overlay(at, side)).collect(),
                mean_maps: (0..14).map(mean).collect(),
            }),
            ..example::multiclass()
        }
    }

    #[test]
    fn sixty_pictures_of_noise_leave_most_of_two_megabytes() {
        let html = render(&audit(64, 64), "audit", None).unwrap();
        assert!(html.matches("<img src=\"data:image").count() >= 60);
        assert!(html.len() < 900_000, "{} bytes", html.len());
        assert!(html.contains("36 of 48 pictures shown"), "what is left out is said");
    }

    #[test]
    fn every_picture_says_what_it_shows_and_no_name_becomes_markup() {
        let html = render(&audit(5, 8), "audit", None).unwrap();
        assert_eq!(html.matches("<img ").count(), html.matches(" alt=\"").count());
        assert!(html.contains("alt=\"Row row &lt;1&gt;: decided &lt;b&gt;7"), "the text beside it names the row");
        assert!(!html.contains("<b>7</b>"));
    }

    #[test]
    fn other_formats_have_the_numbers_and_no_picture() {
        let audit = audit(5, 8);
        let text = markdown(&audit, "audit", None).unwrap();
        assert!(text.contains("Pictures, what was decided") && !text.contains("data:image"));
        let value: serde_json::Value = serde_json::from_str(&json(&audit, "audit", None).unwrap()).unwrap();
        assert!(!value["sections"].to_string().contains("data:image"));
    }

    #[test]
    fn the_place_told_is_where_the_score_comes_from() {
        let mut audit = audit(1, 9);
        let mut values = vec![0.0; 81];
        (values[0], values[80], values[40]) = (2.0, -1.0, 0.5);
        let pictures = audit.pictures.as_mut().unwrap();
        pictures.overlays[0].map = DrawnMap::new(vec![0; 81], &values);
        let lookup = Lookup::new(&audit);
        let drawn = Drawn { lookup: &lookup, pictures: audit.pictures.as_ref().unwrap() };
        let told = drawn.places(&drawn.pictures.overlays[0].map);
        assert_eq!(told, "Raised most at the upper left, lowered most at the lower right.");
        assert_eq!(drawn.places(&DrawnMap::new(vec![0; 81], &[0.0; 81])), "No part counts.");
    }

    #[test]
    fn without_pictures_there_is_no_section() {
        assert!(section(&Lookup::new(&example::multiclass())).is_none());
    }
}
