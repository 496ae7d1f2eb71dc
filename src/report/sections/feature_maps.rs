//! Feature maps: one sheet of planes for each layer and row.

use crate::audit::{DrawnMap, FeatureMaps, FeatureMapsRow};
use crate::report::charts::overlay;
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{heads, say};
use crate::report::view::{Gallery, Hanging, Part};

/// Planes beside each other.
const ACROSS: usize = 4;
/// Under colours, and between planes.
const PAPER: u8 = 255;
const GAP: u8 = 0;

/// Empty without feature maps.
pub fn part(lookup: &Lookup) -> Part {
    let all = &lookup.audit.feature_maps;
    let galleries: Vec<Gallery> = all.iter().enumerate().filter_map(|(at, maps)| gallery(at, maps)).collect();
    match galleries.is_empty() {
        true => Part::default(),
        false => Part { sentences: vec![say!("layers.maps_about")], galleries, ..Part::titled(say!("layers.maps")) },
    }
}

fn gallery(at: usize, maps: &FeatureMaps) -> Option<Gallery> {
    let limit = overlay::limit(maps.rows.iter().flat_map(|row| &row.maps));
    let pictures: Vec<Hanging> = maps.rows.iter().filter_map(|row| hanging(maps, row, limit)).collect();
    let size = number::significant(limit, 2);
    let units: Vec<String> = maps.units.iter().map(ToString::to_string).collect();
    (!pictures.is_empty()).then(|| Gallery {
        id: format!("feature-maps-{at}"),
        title: say!(
            "layers.maps_layer",
            layer = label::shorten(&maps.layer, 40),
            shown = maps.units.len(),
            units = say!("layers.units", n = maps.n_units),
            height = maps.height,
            width = maps.width
        ),
        note: Some(say!("layers.maps_order", units = units.join(", "))),
        folded: true,
        legend: overlay::legend(),
        legend_ends: [say!("layers.maps_low", size = &size), say!("layers.maps_high", size = &size)],
        pictures,
        table: table(maps),
    })
}

fn hanging(maps: &FeatureMaps, row: &FeatureMapsRow, limit: f64) -> Option<Hanging> {
    let (map, height, width) = sheet(maps, row)?;
    let short = label::shorten(&row.row_id, 40);
    let line = match &row.label {
        Some(label) => say!("layers.maps_row_with_label", row = &short, label = label::shorten(label, 40)),
        None => say!("layers.maps_row", row = &short),
    };
    Some(Hanging {
        image: overlay::draw(&map, height, width, limit)?,
        alt: alt(maps, row, &short),
        head: Label::fit(&row.chosen_as, 60),
        lines: vec![line],
    })
}

fn alt(maps: &FeatureMaps, row: &FeatureMapsRow, short: &str) -> String {
    let layer = label::shorten(&maps.layer, 40);
    let count = say!("layers.maps_count", n = row.maps.len());
    let largest = maps.units.iter().zip(&row.maps).map(|(unit, map)| (*unit, map.largest));
    match largest.reduce(|best, it| if it.1 > best.1 { it } else { best }).filter(|(_, largest)| *largest > 0.0) {
        Some((unit, largest)) => say!(
            "layers.maps_alt",
            row = short,
            maps = count,
            layer = layer,
            largest = number::significant(largest, 2),
            unit = unit
        ),
        None => say!("layers.maps_alt_none", row = short, maps = count, layer = layer),
    }
}

/// A row's planes beside each other with a line of one pixel between them, and height and width of it all. `None` where
/// a plane is not of the size that the layer's are.
fn sheet(maps: &FeatureMaps, row: &FeatureMapsRow) -> Option<(DrawnMap, usize, usize)> {
    let (high, wide) = (maps.drawn_height as usize, maps.drawn_width as usize);
    if row.maps.is_empty() || high * wide == 0 || row.maps.iter().any(|map| map.parts.0.len() != high * wide) {
        return None;
    }
    let across = row.maps.len().min(ACROSS);
    let down = row.maps.len().div_ceil(across);
    let (height, width) = (down * (high + 1) - 1, across * (wide + 1) - 1);
    let (mut shades, mut numbers) = (vec![GAP; height * width], vec![0.0; height * width]);
    for (at, map) in row.maps.iter().enumerate() {
        let first = at / across * (high + 1) * width + at % across * (wide + 1);
        for pixel in 0..high * wide {
            let place = first + pixel / wide * width + pixel % wide;
            shades[place] = PAPER;
            numbers[place] = map.attribution(pixel);
        }
    }
    Some((DrawnMap::new(shades, &numbers), height, width))
}

/// By unit, each row's number of largest size.
fn table(maps: &FeatureMaps) -> Table {
    let mut table = Table::new(say!("layers.maps_table"), &heads!("channel"));
    let head = |row: &FeatureMapsRow| Column::new(say!("layers.maps_row", row = label::shorten(&row.row_id, 24)), true);
    table.columns.extend(maps.rows.iter().map(head));
    for (at, unit) in maps.units.iter().enumerate() {
        let cell = |row: &FeatureMapsRow| row.maps.get(at).map_or(Cell::none(), extreme);
        table.push(Label::fit(&unit.to_string(), 24), maps.rows.iter().map(cell).collect());
    }
    table
}

fn extreme(map: &DrawnMap) -> Cell {
    let numbers = (0..map.parts.0.len()).map(|at| map.attribution(at));
    let extreme = numbers.fold(0.0_f64, |most, it| if it.abs() > most.abs() { it } else { most });
    Cell::number(number::significant(extreme, 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::LayerActivity;
    use crate::report::{example, markdown, render};

    fn row(id: &str, n: u64, side: usize, of: impl Fn(u64, usize) -> f64) -> FeatureMapsRow {
        let map = |unit| DrawnMap::new(Vec::new(), &(0..side * side).map(|at| of(unit, at)).collect::<Vec<f64>>());
        FeatureMapsRow {
            row_id: id.into(),
            chosen_as: "highest score".into(),
            label: Some("<7>".into()),
            maps: (0..n).map(map).collect(),
        }
    }

    fn maps(layer: &str, n: u64, side: usize, rows: Vec<FeatureMapsRow>) -> FeatureMaps {
        let side = side as u64;
        FeatureMaps {
            layer: layer.into(),
            height: side,
            width: side,
            drawn_height: side,
            drawn_width: side,
            units: (0..n).collect(),
            n_units: 16,
            rows,
        }
    }

    #[test]
    fn planes_stand_row_by_row_with_a_line_between_them() {
        let row = row("a", 5, 2, |unit, at| (10 * unit) as f64 + at as f64);
        let maps = maps("relu", 5, 2, vec![row]);
        let (map, height, width) = sheet(&maps, &maps.rows[0]).unwrap();
        assert_eq!((height, width), (5, 11));
        let near = |at: usize, value: f64| (map.attribution(at) - value).abs() < 0.7;
        assert!(
            near(0, 0.0) && near(12, 3.0) && near(3, 10.0) && near(6 + 1, 21.0) && near(33, 40.0) && near(45, 43.0)
        );
        let gaps = map.shades.0.iter().filter(|shade| **shade == GAP).count();
        assert_eq!(gaps, 55 - 5 * 4, "lines, and the places of planes that are not there");
        assert!(map.shades.0.iter().enumerate().all(|(at, shade)| *shade == PAPER || map.attribution(at) == 0.0));
    }

    #[test]
    fn planes_of_another_size_are_not_drawn() {
        let mut maps = maps("relu", 1, 3, vec![row("a", 1, 2, |_, _| 1.0)]);
        assert_eq!(gallery(0, &maps), None);
        maps.rows.clear();
        assert_eq!(gallery(0, &maps), None);
    }

    #[test]
    fn twelve_layers_of_noise_leave_most_of_two_megabytes_and_no_name_becomes_markup() {
        let noise = |unit: u64, at: usize| ((unit * 7919 + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64;
        let rows = || ["<b>", "c", "d"].map(|id| row(id, 12, 32, |unit, at| noise(unit, at) - 8e6)).to_vec();
        let mut audit = example::binary();
        audit.layers = vec![LayerActivity {
            layer: "l0".into(),
            op: "Conv".into(),
            shape: "[N, 16, 32, 32]".into(),
            parameters: 1,
            attribute: String::new(),
            group_value: String::new(),
            n: 100,
            units: 16,
            mean: None,
            std: None,
            zero_fraction: None,
            minimum: None,
            maximum: None,
            dead_units: None,
            separability: None,
        }];
        audit.feature_maps = (0..12).map(|layer| maps(&format!("l{layer}"), 12, 32, rows())).collect();
        let html = render(&audit, "audit", None).unwrap();
        assert!(html.len() < 1_100_000, "{} bytes", html.len());
        assert_eq!(html.matches("<details class=\"fold sheets\">").count(), 12);
        assert_eq!(html.matches("<img ").count(), html.matches(" alt=\"").count());
        assert!(html.contains("Row &lt;b&gt;: 12 feature maps of l3.") && !html.contains("<b></b>"));
        let text = markdown(&audit, "audit", None).unwrap();
        assert!(text.contains("Numbers of largest size in each channel") && !text.contains("data:image"));
    }
}
