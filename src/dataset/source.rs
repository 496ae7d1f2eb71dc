//! What `[data] path` names: a file, a glob or a folder, scanned lazily.

use super::error::DataError;
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// Files of one format and their common schema.
pub struct Source {
    /// As configured, resolved against the TOML's folder.
    pub path: PathBuf,
    /// Sorted by name: the order of the rows.
    pub files: Vec<PathBuf>,
    pub fields: Vec<Field>,
    pub(super) frame: LazyFrame,
    /// Row counts of pieces that can be read one by one, in order; `None` where a file must be read from its start.
    pub(super) pieces: Option<Vec<usize>>,
}

/// A column of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    /// As the file has it, for messages: "f64", "str", "list[u8]".
    pub dtype: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Float,
    Boolean,
    Text,
    Date,
    List,
    /// Bytes, of pictures perhaps.
    Binary,
    Other,
}

impl Kind {
    /// The word reports and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Integer | Kind::Float => "number",
            Kind::Boolean => "boolean",
            Kind::Text => "text",
            Kind::Date => "date",
            Kind::List => "list",
            Kind::Binary => "bytes",
            Kind::Other => "other",
        }
    }

    fn of(dtype: &DataType) -> Self {
        match dtype {
            DataType::Boolean => Kind::Boolean,
            DataType::String | DataType::Categorical(..) | DataType::Enum(..) => Kind::Text,
            DataType::Date | DataType::Datetime(..) => Kind::Date,
            DataType::List(_) | DataType::Array(..) => Kind::List,
            DataType::Binary => Kind::Binary,
            dtype if dtype.is_integer() => Kind::Integer,
            dtype if dtype.is_float() || dtype.is_decimal() => Kind::Float,
            _ => Kind::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Parquet,
    Csv,
    NdJson,
    Ipc,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Some(Format::Parquet),
            "csv" => Some(Format::Csv),
            "ndjson" | "jsonl" => Some(Format::NdJson),
            "arrow" | "ipc" | "feather" => Some(Format::Ipc),
            _ => None,
        }
    }
}

impl Source {
    /// Finds the files and reads their schema.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let files = files_of(path)?;
        let format = Format::of(&files[0]).ok_or_else(|| DataError::UnknownFormat { path: files[0].clone() })?;
        if let Some(other) = files.iter().find(|file| Format::of(file) != Some(format)) {
            return Err(unreadable(other, "another format than the first file; audit one format at a time"));
        }
        for file in &files {
            check_magic(file, format)?;
        }
        let mut frame = scan(path, &files, format)?;
        if format == Format::Csv {
            frame = with_plain_names(path, frame)?;
        }
        let schema = frame.collect_schema().map_err(|error| unreadable(path, plain(&error)))?;
        if let (Format::Csv, Some(column)) = (format, renamed_duplicate(&schema)) {
            return Err(twice(path, column));
        }
        let fields = schema
            .iter()
            .map(|(name, dtype)| Field { name: name.to_string(), kind: Kind::of(dtype), dtype: dtype.to_string() })
            .collect();
        let pieces = pieces(&files, format)?;
        Ok(Self { path: path.to_owned(), files, fields, frame, pieces })
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field, or an error that says who asked for it and what is there instead.
    pub fn require(&self, name: &str, asked_by: &str) -> Result<&Field, DataError> {
        self.field(name).ok_or_else(|| DataError::NoColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            asked_by: asked_by.to_owned(),
            suggestion: closest(name, self.fields.iter().map(|field| field.name.as_str())),
            columns: listed(self.fields.iter().map(|field| field.name.as_str())),
        })
    }
}

/// ", did you mean `x`?" where something is close.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 2.max(name.len() / 3))
        .map(|(_, candidate)| format!(", did you mean `{candidate}`?"))
        .unwrap_or_default()
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    match names.len() {
        0..=40 => names.join(", "),
        n => format!("{}, … ({} more)", names[..40].join(", "), n - 40),
    }
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = if path.is_dir() { files_below(path)? } else { files_matching(path) };
    files.sort();
    match files.is_empty() {
        true => Err(DataError::NotFound { path: path.to_owned() }),
        false => Ok(files),
    }
}

/// All data files below a folder; names that start with `.` or `_` are bookkeeping of whoever wrote it.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, error.to_string()))? {
            let path = entry.map_err(|error| unreadable(&folder, error.to_string()))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
            if hidden {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if Format::of(&path).is_some() {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn files_matching(pattern: &Path) -> Vec<PathBuf> {
    let Some(pattern) = pattern.to_str() else { return Vec::new() };
    glob::glob(pattern).map(|paths| paths.flatten().filter(|path| path.is_file()).collect()).unwrap_or_default()
}

/// A file that is not what its name says is told from a damaged one before polars sees it.
fn check_magic(path: &Path, format: Format) -> Result<(), DataError> {
    use std::io::{Read, Seek, SeekFrom};
    let magic: &[u8] = match format {
        Format::Parquet => b"PAR1",
        Format::Ipc => b"ARROW1",
        Format::Csv | Format::NdJson => return Ok(()),
    };
    let io = |error: std::io::Error| unreadable(path, error.to_string());
    let mut file = std::fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len() as usize;
    let mut head = vec![0; magic.len().min(length)];
    file.read_exact(&mut head).map_err(io)?;
    if head != magic {
        return Err(unreadable(path, format!("not a {format:?} file, whatever its name says")));
    }
    let mut tail = vec![0; magic.len()];
    file.seek(SeekFrom::Start((length - magic.len()) as u64)).map_err(io)?;
    file.read_exact(&mut tail).map_err(io)?;
    match tail == magic && length >= 12 {
        true => Ok(()),
        false => Err(unreadable(path, "truncated: the file ends before its footer; copy it again")),
    }
}

fn scan(path: &Path, files: &[PathBuf], format: Format) -> Result<LazyFrame, DataError> {
    let paths: Vec<PlRefPath> = files
        .iter()
        .map(|file| match file.to_str() {
            Some(name) => Ok(PlRefPath::new(name)),
            None => Err(unreadable(file, "the name is not UTF-8; rename it")),
        })
        .collect::<Result<_, _>>()?;
    let sources = ScanSources::Paths(paths.into_iter().collect());
    let frame = match format {
        Format::Parquet => {
            let args = ScanArgsParquet { glob: false, hive_options: hive(path), ..Default::default() };
            LazyFrame::scan_parquet_sources(sources, args)
        }
        Format::Csv => LazyCsvReader::new_with_sources(sources)
            .with_glob(false)
            .with_infer_schema_length(Some(10_000))
            .with_try_parse_dates(true)
            .finish(),
        Format::NdJson => LazyJsonLineReader::new_with_sources(sources)
            .with_infer_schema_length(std::num::NonZeroUsize::new(10_000))
            .finish(),
        Format::Ipc => {
            let unified = UnifiedScanArgs { glob: false, hive_options: hive(path), ..Default::default() };
            LazyFrame::scan_ipc_sources(sources, Default::default(), unified)
        }
    };
    frame.map_err(|error| unreadable(path, plain(&error)))
}

/// Row groups of Parquet files. What is cut out of the middle of one must be decoded as a whole.
fn pieces(files: &[PathBuf], format: Format) -> Result<Option<Vec<usize>>, DataError> {
    if format != Format::Parquet {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for path in files {
        let file = std::fs::File::open(path).map_err(|error| unreadable(path, error.to_string()))?;
        let metadata =
            ParquetReader::new(file).get_metadata().cloned().map_err(|error| unreadable(path, plain(&error)))?;
        rows.extend(metadata.row_groups.iter().map(|group| group.num_rows()));
    }
    Ok(Some(rows))
}

/// Folders named `key=value` below the configured one become columns.
fn hive(path: &Path) -> HiveOptions {
    let partitioned = path.is_dir() || path.to_string_lossy().contains('*');
    let fixed = path.to_string_lossy().split('*').next().map_or(0, |prefix| match path.is_dir() {
        true => prefix.len(),
        false => prefix.rfind('/').unwrap_or(0),
    });
    HiveOptions { enabled: Some(partitioned), hive_start_idx: fixed, schema: None, try_parse_dates: true }
}

/// polars takes the quotes around a name of a CSV header off and leaves those within doubled, as they stand in the file.
fn with_plain_names(path: &Path, mut frame: LazyFrame) -> Result<LazyFrame, DataError> {
    let schema = frame.collect_schema().map_err(|error| unreadable(path, plain(&error)))?;
    let doubled: Vec<&str> =
        schema.iter_names().map(|name| name.as_str()).filter(|name| name.contains("\"\"")).collect();
    let single: Vec<String> = doubled.iter().map(|name| name.replace("\"\"", "\"")).collect();
    let clash = |name: &&String| schema.contains(name) && !doubled.contains(&name.as_str());
    if let Some(column) = single.iter().find(clash) {
        return Err(twice(path, column));
    }
    Ok(if doubled.is_empty() { frame } else { frame.rename(doubled, single, true) })
}

/// A column that polars found twice in a CSV header: it names the second `x_duplicated_0`.
fn renamed_duplicate(schema: &Schema) -> Option<&str> {
    schema.iter_names().find_map(|name| {
        let (original, number) = name.rsplit_once("_duplicated_")?;
        (number.parse::<u32>().is_ok() && schema.contains(original)).then_some(original)
    })
}

fn twice(path: &Path, column: &str) -> DataError {
    unreadable(path, format!("column `{column}` stands in the header twice; rename or remove one of them"))
}

pub(super) fn unreadable(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Unreadable { path: path.to_owned(), reason: reason.into() }
}

/// A polars error's first line: what follows is a plan dump for its own developers.
pub(super) fn plain(error: &PolarsError) -> String {
    error.to_string().lines().next().unwrap_or("unreadable").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Result<Source, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, text).unwrap();
        Source::open(&path)
    }

    fn names(text: &str) -> Vec<String> {
        csv(text).unwrap().fields.into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn quotes_in_a_quoted_name_of_a_csv_header_are_read_once() {
        let header = "id,\"the \"\"net\"\" pay\",\"a, b\",\"\"\"\"\n";
        assert_eq!(names(&format!("{header}1,2,3,4\n")), ["id", "the \"net\" pay", "a, b", "\""]);
        assert_eq!(names("\"a\"\"\"\"b\",\"a\"\"b\"\n1,2\n"), ["a\"\"b", "a\"b"]);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_however_it_is_quoted() {
        for header in ["\"a\"\"b\",\"a\"\"b\"", "\"a\"\"b\",a\"b"] {
            let error = csv(&format!("{header}\n1,2\n")).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("column `a\"b` stands in the header twice"), "{error}");
        }
    }
}
