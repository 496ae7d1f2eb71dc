//! Streams batches: polars reads and filters in its own threads, here rows are cut to size and resolved.

use super::batch::{Batch, Features, RowIds};
use super::block_rows;
use super::columns::{self, FeatureSpec, Rows, Want, n_missing};
use super::error::DataError;
use super::filter::Filter;
use super::groups::{self, GroupColumn, LevelCodes};
use super::labels::{LabelReader, LabelSpec};
use super::source::{Kind, Source, plain, unreadable};
use polars::prelude::*;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};

/// Which columns mean what.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `None`: the row's number, from 0.
    pub id: Option<String>,
    pub features: Vec<FeatureSpec>,
    pub label: Option<LabelSpec>,
    pub weight: Option<String>,
    pub score: Option<String>,
    pub groups: Vec<GroupColumn>,
    pub filter: Option<String>,
}

impl Selection {
    /// Numbers of a row that are parts of pictures or lists.
    pub fn n_numbers(&self) -> usize {
        let numbers = |feature: &FeatureSpec| match feature.want {
            Want::Tensor { width, .. } => width,
            _ => 0,
        };
        self.features.iter().map(numbers).sum()
    }

    /// Rows read at a time, at least, where row groups are smaller: of pictures one batch.
    fn window_rows(&self, batch_rows: usize) -> usize {
        if self.n_numbers() == 0 { WINDOW_ROWS } else { batch_rows.min(WINDOW_ROWS) }
    }
}

/// What was seen while reading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    pub n_rows: u64,
    /// Per feature: missing values, and values that `[data.encode]` does not list (missing too).
    pub missing: Vec<u64>,
    pub unlisted: Vec<u64>,
    pub unlabelled: u64,
    /// Names of the group columns' levels, in order of appearance.
    pub levels: Vec<Vec<String>>,
}

/// An ordered stream of batches.
pub struct Reader<'a> {
    source: &'a Source,
    selection: &'a Selection,
    batch_rows: usize,
    frames: Frames,
    pending: Option<DataFrame>,
    finished: bool,
    labels: LabelReader,
    levels: Vec<LevelCodes>,
    tally: Tally,
}

impl<'a> Reader<'a> {
    /// Starts reading. Batches hold `batch_rows`, rounded up to whole blocks of [`block_rows`]; the last may be shorter.
    pub fn start(source: &'a Source, selection: &'a Selection, batch_rows: usize) -> Result<Self, DataError> {
        let block = block_rows(selection.n_numbers());
        let batch_rows = batch_rows.max(1).div_ceil(block) * block;
        let n_features = selection.features.len();
        Ok(Self {
            frames: Frames::of(source, selection, batch_rows)?,
            source,
            selection,
            batch_rows,
            pending: None,
            finished: false,
            labels: LabelReader::default(),
            levels: selection.groups.iter().map(|_| LevelCodes::default()).collect(),
            tally: Tally { missing: vec![0; n_features], unlisted: vec![0; n_features], ..Default::default() },
        })
    }

    /// Rows that pass the filter, without reading more than it needs.
    pub fn count(source: &Source, selection: &Selection) -> Result<u64, DataError> {
        let counted = counted(source, selection, vec![len()])?;
        let n = counted.columns().first().and_then(|column| column.get(0).ok()?.extract::<u64>());
        n.ok_or_else(|| unreadable(&source.path, "its rows cannot be counted"))
    }

    /// Columns of the selection without a single value among the rows that pass the filter.
    pub fn empty_columns(source: &Source, selection: &Selection) -> Result<Vec<String>, DataError> {
        let is_float = |name: &str| source.field(name).is_some_and(|field| field.kind == Kind::Float);
        let n_values = |name: &str| match is_float(name) {
            true => col(name).is_not_nan().sum(),
            false => col(name).count(),
        };
        let names = names_of(selection);
        let counts = names.iter().map(|name| n_values(name).cast(DataType::UInt64).alias(*name)).collect();
        let counted = counted(source, selection, counts)?;
        let is_empty = |name: &&str| {
            let count = counted.column(name).ok().and_then(|column| column.get(0).ok()?.extract::<u64>());
            count == Some(0)
        };
        Ok(names.into_iter().filter(is_empty).map(str::to_owned).collect())
    }

    pub fn tally(&self) -> Tally {
        Tally { levels: self.levels.iter().map(|levels| levels.names.clone()).collect(), ..self.tally.clone() }
    }

    /// The next rows, `batch_rows` of them where there are as many.
    fn next_frame(&mut self) -> Result<Option<DataFrame>, DataError> {
        let held = |pending: &Option<DataFrame>| pending.as_ref().map_or(0, DataFrame::height);
        while !self.finished && held(&self.pending) < self.batch_rows {
            match self.frames.next() {
                None => self.finished = true,
                Some(Err(error)) => return Err(broken(self.source, &error)),
                Some(Ok(frame)) if frame.height() == 0 => {}
                Some(Ok(frame)) => match &mut self.pending {
                    None => self.pending = Some(frame),
                    Some(pending) => {
                        pending.vstack_mut(&frame).map_err(|error| broken(self.source, &error))?;
                    }
                },
            }
        }
        let Some(pending) = self.pending.take() else { return Ok(None) };
        let rest = pending.slice(self.batch_rows as i64, usize::MAX);
        if rest.height() > 0 {
            self.pending = Some(rest);
        }
        Ok(Some(pending.slice(0, self.batch_rows)))
    }

    fn resolve(&mut self, frame: &DataFrame) -> Result<Batch, DataError> {
        let selection = self.selection;
        let first_row = self.tally.n_rows;
        let n_rows = frame.height();
        let ids = self.ids(frame, first_row)?;
        let features = self.features(frame, &ids)?;
        let labels = match &selection.label {
            Some(spec) => Some(self.labels.read(spec, &columns::series(frame, spec.column())?)?),
            None => None,
        };
        let number = |column: &Option<String>| -> Result<Option<Vec<f64>>, DataError> {
            column.as_ref().map(|column| columns::numbers(&columns::series(frame, column)?)).transpose()
        };
        let batch = Batch {
            first_row,
            ids,
            features: Features { n_rows, columns: features },
            labels,
            weights: number(&selection.weight)?,
            recorded: number(&selection.score)?,
            codes: groups::encode_all(frame, &selection.groups, self.source, &mut self.levels)?,
        };
        check_weights(selection, &batch)?;
        check_recorded(selection, &batch)?;
        self.tally.n_rows += n_rows as u64;
        self.tally.unlabelled += batch.labels.as_ref().map_or(0, unlabelled);
        Ok(batch)
    }

    fn features(&mut self, frame: &DataFrame, ids: &RowIds) -> Result<Vec<super::Column>, DataError> {
        let rows = Rows { path: &self.source.path, ids };
        let specs = &self.selection.features;
        let tally = &mut self.tally;
        specs
            .par_iter()
            .zip(&mut tally.missing)
            .zip(&mut tally.unlisted)
            .map(|((spec, missing), unlisted)| {
                let column = spec.read(&columns::series(frame, &spec.column)?, rows, unlisted)?;
                *missing += n_missing(&column) as u64;
                Ok(column)
            })
            .collect()
    }

    fn ids(&self, frame: &DataFrame, first_row: u64) -> Result<RowIds, DataError> {
        let Some(id) = &self.selection.id else {
            return Ok(RowIds::Int((first_row as i64..).take(frame.height()).collect()));
        };
        let series = columns::series(frame, id)?;
        let whole = self.source.field(id).is_some_and(|field| field.kind == Kind::Integer);
        if whole && series.null_count() == 0 {
            let ids = series.cast(&DataType::Int64).map_err(|error| broken(self.source, &error))?;
            let ids = ids.i64().map_err(|error| broken(self.source, &error))?;
            return Ok(RowIds::Int(ids.into_no_null_iter().collect()));
        }
        let texts = columns::texts(&series)?;
        texts
            .into_iter()
            .map(|text| text.map(|text| text.to_string()))
            .collect::<Option<_>>()
            .map(RowIds::Text)
            .ok_or_else(|| {
                DataError::column(
                    id,
                    "missing row ids",
                    "give every row an id, or leave [data] id out to number the rows",
                )
            })
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_frame() {
            Ok(frame) => frame.map(|frame| self.resolve(&frame)),
            Err(error) => {
                self.finished = true;
                Some(Err(error))
            }
        }
    }
}

/// Frames in data order, of any height.
enum Frames {
    /// Windows of whole row groups, read one after the other: no more than one is held at a time.
    Windows(Box<Windows>),
    /// Formats that are read from their start: polars streams them on its own threads.
    Stream(Receiver<PolarsResult<DataFrame>>),
}

struct Windows {
    frame: LazyFrame,
    predicate: Option<Expr>,
    columns: Vec<Expr>,
    /// `(offset, rows)`.
    rest: std::vec::IntoIter<(i64, IdxSize)>,
}

/// Rows of a window, at least, where row groups are smaller and no column holds pictures.
const WINDOW_ROWS: usize = 65_536;

impl Frames {
    fn of(source: &Source, selection: &Selection, batch_rows: usize) -> Result<Self, DataError> {
        let predicate = predicate_of(source, selection)?;
        let columns = columns_of(source, selection);
        let frame = source.frame.clone();
        Ok(match &source.pieces {
            Some(pieces) => {
                let rest = windows(pieces, selection.window_rows(batch_rows)).into_iter();
                Frames::Windows(Box::new(Windows { frame, predicate, columns, rest }))
            }
            None => Frames::Stream(stream(query(frame, predicate, columns), batch_rows)),
        })
    }

    fn next(&mut self) -> Option<PolarsResult<DataFrame>> {
        match self {
            Frames::Stream(frames) => frames.recv().ok(),
            Frames::Windows(windows) => {
                let (offset, n_rows) = windows.rest.next()?;
                let frame = windows.frame.clone().slice(offset, n_rows);
                let window = query(frame, windows.predicate.clone(), windows.columns.clone());
                Some(window.collect_with_engine(Engine::Streaming).map(|result| result.unwrap_single()))
            }
        }
    }
}

/// Consecutive row groups together until they hold `least` rows, as `(offset, rows)`.
fn windows(pieces: &[usize], least: usize) -> Vec<(i64, IdxSize)> {
    let mut windows: Vec<(i64, IdxSize)> = Vec::new();
    let mut offset = 0;
    for n_rows in pieces {
        match windows.last_mut().filter(|(_, held)| (*held as usize) < least) {
            Some((_, held)) => *held += *n_rows as IdxSize,
            None => windows.push((offset, *n_rows as IdxSize)),
        }
        offset += *n_rows as i64;
    }
    windows
}

fn query(frame: LazyFrame, predicate: Option<Expr>, columns: Vec<Expr>) -> LazyFrame {
    match predicate {
        Some(predicate) => frame.filter(predicate).select(columns),
        None => frame.select(columns),
    }
}

/// What rows must satisfy.
fn predicate_of(source: &Source, selection: &Selection) -> Result<Option<Expr>, DataError> {
    selection.filter.as_ref().map(|text| Ok(checked_filter(source, text)?.predicate)).transpose()
}

/// One row of counts over all rows that pass the filter.
fn counted(source: &Source, selection: &Selection, counts: Vec<Expr>) -> Result<DataFrame, DataError> {
    let counted = query(source.frame.clone(), predicate_of(source, selection)?, counts);
    let counted = counted.collect_with_engine(Engine::Streaming).map_err(|error| broken(source, &error))?;
    Ok(counted.unwrap_single())
}

/// Every column that the selection names, once.
fn columns_of(source: &Source, selection: &Selection) -> Vec<Expr> {
    let mut names = names_of(selection);
    // Rows without any column would not be counted.
    names.extend(source.fields.first().filter(|_| names.is_empty()).map(|field| field.name.as_str()));
    names.into_iter().map(col).collect()
}

fn names_of(selection: &Selection) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    names.extend(selection.id.as_deref());
    names.extend(selection.features.iter().map(|feature| feature.column.as_str()));
    names.extend(selection.label.as_ref().map(LabelSpec::column));
    names.extend(selection.weight.as_deref());
    names.extend(selection.score.as_deref());
    names.extend(selection.groups.iter().map(|group| group.column.as_str()));
    names
}

fn checked_filter(source: &Source, text: &str) -> Result<Filter, DataError> {
    let filter = Filter::parse(text)?;
    for column in &filter.columns {
        source.require(column, "[data] filter")?;
    }
    Ok(filter)
}

/// Runs the query on a thread of its own; at most two frames wait, so memory stays bounded.
fn stream(query: LazyFrame, batch_rows: usize) -> Receiver<PolarsResult<DataFrame>> {
    let (send, receive) = sync_channel(2);
    std::thread::spawn(move || {
        let frames = send.clone();
        let callback = PlanCallback::new(move |frame| Ok(frames.send(Ok(frame)).is_err()));
        let done = query
            .sink_batches(callback, true, std::num::NonZeroUsize::new(batch_rows))
            .and_then(|sink| sink.collect_with_engine(Engine::Streaming));
        if let Err(error) = done {
            // Nobody listens any more when the reader was dropped early.
            send.send(Err(error)).ok();
        }
    });
    receive
}

fn broken(source: &Source, error: &PolarsError) -> DataError {
    unreadable(&source.path, plain(error))
}

fn unlabelled(labels: &super::Labels) -> u64 {
    match labels {
        super::Labels::Class(classes) => classes.iter().filter(|class| class.is_none()).count() as u64,
        super::Labels::Value(values) => values.iter().filter(|value| value.is_nan()).count() as u64,
    }
}

fn check_weights(selection: &Selection, batch: &Batch) -> Result<(), DataError> {
    let (Some(column), Some(weights)) = (&selection.weight, &batch.weights) else { return Ok(()) };
    match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
        None => Ok(()),
        Some(weight) => Err(DataError::column(
            column,
            format!("the weight {weight}"),
            "give every row a finite weight of 0 or more",
        )),
    }
}

fn check_recorded(selection: &Selection, batch: &Batch) -> Result<(), DataError> {
    let (Some(column), Some(scores)) = (&selection.score, &batch.recorded) else { return Ok(()) };
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(()),
        Some(at) => Err(DataError::column(
            column,
            format!("the score {} in row {}", scores[at], batch.first_row + at as u64),
            "give every row a finite score, or leave such rows out with [data] filter",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::BLOCK_ROWS;
    use crate::dataset::{Column, Labels, Want};
    use std::path::Path;

    fn csv(folder: &Path, n_rows: usize) -> Source {
        let path = folder.join("rows.csv");
        let rows: String = (0..n_rows).map(|row| format!("{row},{},{}\n", ["F", "M"][row % 2], row % 3)).collect();
        std::fs::write(&path, format!("id,sex,y\n{rows}")).unwrap();
        Source::open(&path).unwrap()
    }

    fn selection() -> Selection {
        Selection {
            id: Some("id".into()),
            features: vec![FeatureSpec { column: "y".into(), want: Want::Number, encode: None, refuse_missing: false }],
            label: Some(LabelSpec::Value { column: "y".into() }),
            groups: vec![GroupColumn { column: "sex".into(), bins: None }],
            ..Default::default()
        }
    }

    #[test]
    fn batches_keep_the_order_of_the_data_whatever_their_size() {
        let folder = tempfile::tempdir().unwrap();
        let source = csv(folder.path(), 5_000);
        let selection = selection();
        for batch_rows in [1, 1_500, 100_000] {
            let reader = Reader::start(&source, &selection, batch_rows).unwrap();
            let batches: Vec<_> = reader.map(Result::unwrap).collect();
            let ids: Vec<i64> = batches
                .iter()
                .flat_map(|batch| match &batch.ids {
                    RowIds::Int(ids) => ids.clone(),
                    RowIds::Text(_) => panic!("ids are whole numbers"),
                })
                .collect();
            assert_eq!(ids, (0..5_000).collect::<Vec<_>>());
            assert!(batches.iter().all(|batch| batch.first_row % BLOCK_ROWS as u64 == 0));
        }
    }

    #[test]
    fn a_filter_leaves_rows_out_and_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let source = csv(folder.path(), 100);
        let selection = Selection { filter: Some("sex = 'F' and id < 10".into()), ..selection() };
        assert_eq!(Reader::count(&source, &selection).unwrap(), 5);
        let batches: Vec<_> = Reader::start(&source, &selection, 10).unwrap().map(Result::unwrap).collect();
        assert_eq!(batches[0].ids, RowIds::Int(vec![0, 2, 4, 6, 8]));
        assert_eq!(batches[0].features.columns, [Column::Number(vec![0.0, 2.0, 1.0, 0.0, 2.0])]);
        assert_eq!(batches[0].labels, Some(Labels::Value(vec![0.0, 2.0, 1.0, 0.0, 2.0])));
    }

    #[test]
    fn a_filter_over_a_column_that_is_not_there_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let source = csv(folder.path(), 10);
        let selection = Selection { filter: Some("sexx = 'F'".into()), ..selection() };
        let error = Reader::count(&source, &selection).unwrap_err().to_string();
        assert!(error.contains("did you mean `sex`?"), "{error}");
    }
}
