//! Files → batches of rows, resolved. The only home of polars.
//!
//! A [`Source`] is what `[data] path` names: files of one format, scanned lazily. A [`Selection`] says which columns
//! mean what. A [`Reader`] streams [`Batch`]es of a fixed number of rows in data order, in bounded memory: how the
//! file is cut into row groups never shows in a result.

pub mod batch;
mod columns;
mod error;
mod filter;
mod groups;
mod labels;
mod picture;
mod profile;
mod reader;
mod source;

pub use batch::{Batch, Column, Features, Labels, RowIds};
pub use columns::{FeatureSpec, ImageScale, Want};
pub use error::{DataError, RowError};
pub use groups::GroupColumn;
pub use labels::LabelSpec;
pub use picture::Picture;
pub use profile::{MOST_VALUES, Profile, profile};
pub use reader::{Reader, Selection, Tally};
pub use source::{Field, Kind, Source};

/// Scores, batches and partial sums are cut at multiples of this many rows, counted from the first row of the data:
/// no result depends on how many rows a batch holds or on how many threads there are.
pub const BLOCK_ROWS: usize = 1024;

/// Rows of a block where each row has `n_numbers` numbers in pictures or lists: of large pictures fewer than
/// [`BLOCK_ROWS`], a power of two that the model's input alone decides, so that a block fits into some megabytes.
pub fn block_rows(n_numbers: usize) -> usize {
    match (BLOCK_NUMBERS / n_numbers.max(1)).min(BLOCK_ROWS) {
        0 => 1,
        rows => 1 << rows.ilog2(),
    }
}

/// Numbers of pictures in a block.
const BLOCK_NUMBERS: usize = 1 << 22;
