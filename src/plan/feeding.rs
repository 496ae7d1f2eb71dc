//! Which raw columns feed which model input, and how each is read.

use super::error::{PlanError, conflict, did_you_mean};
use crate::config::{Config, Conflict, Image, InputColumns, Loaded, PerChannel};
use crate::dataset::{FeatureSpec, Field, ImageScale, Kind, Picture, Reader, Selection, Source, Want};
use crate::model::{Element, FedInput, Feed, Port, Signature};
use std::collections::HashMap;

/// The feed, and the raw columns it reads in model order.
pub struct Feeding {
    pub feed: Feed,
    pub features: Vec<FeatureSpec>,
}

/// Binds every model input to columns of the data.
pub fn bind(loaded: &Loaded, source: &Source, signature: &Signature, n_rows: u64) -> Result<Feeding, PlanError> {
    let mut binding = Binding { config: &loaded.config, source, n_rows, features: Vec::new() };
    let mut conflicts = binding.unknown_inputs(signature);
    conflicts.extend(binding.unfed_encodings(signature));
    let mut inputs = Vec::new();
    for port in &signature.inputs {
        match binding.input(port) {
            Ok(input) => inputs.push(input),
            Err(found) => conflicts.extend(found),
        }
    }
    match conflicts.is_empty() {
        true => Ok(Feeding { feed: Feed { inputs }, features: binding.features }),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

struct Binding<'a> {
    config: &'a Config,
    source: &'a Source,
    n_rows: u64,
    features: Vec<FeatureSpec>,
}

impl Binding<'_> {
    /// Keys of `[model.inputs]` that the model does not have.
    fn unknown_inputs(&self, signature: &Signature) -> Vec<Conflict> {
        let names: Vec<&str> = signature.inputs.iter().map(|port| port.name.as_str()).collect();
        let unknown = self.config.model.inputs.keys().filter(|key| !names.contains(&key.as_str()));
        unknown
            .map(|key| {
                let near = did_you_mean(key, names.iter().copied());
                let help = format!("its inputs are {}", quoted(&names));
                conflict(format!("model.inputs.{key}"), format!("the model has no input `{key}`{near}"), help)
            })
            .collect()
    }

    /// Encodings of columns that no input takes.
    fn unfed_encodings(&self, signature: &Signature) -> Vec<Conflict> {
        let fed: Vec<String> =
            signature.inputs.iter().flat_map(|port| self.columns_of(port).unwrap_or_default()).collect();
        let unfed = self.config.data.encode.keys().filter(|column| !fed.contains(column));
        unfed
            .map(|column| {
                let near = did_you_mean(column, fed.iter().map(String::as_str));
                let message = format!("`{column}` is encoded, but no model input takes it{near}");
                conflict(format!("data.encode.{column}"), message, "remove it, or name the column in [model.inputs]")
            })
            .collect()
    }

    /// Configured columns, else the column of the input's own name, else the image column.
    fn columns_of(&self, port: &Port) -> Option<Vec<String>> {
        match (self.config.model.inputs.get(&port.name), &self.config.data.image) {
            (Some(InputColumns::One(column)), _) => Some(vec![column.clone()]),
            (Some(InputColumns::Matrix(columns)), _) => Some(columns.clone()),
            (None, _) if self.source.field(&port.name).is_some() => Some(vec![port.name.clone()]),
            (None, Some(image)) => Some(vec![image.column.clone()]),
            (None, None) => None,
        }
    }

    fn input(&mut self, port: &Port) -> Result<FedInput, Vec<Conflict>> {
        if port.element == Element::Other {
            let message = format!("input `{}` takes {}, which cannot be fed from columns", port.name, port.describe());
            return Err(vec![conflict("model.path", message, "export the model with number or string inputs")]);
        }
        let Some(names) = self.columns_of(port) else { return Err(vec![self.nobody_feeds(port)]) };
        let key = format!("model.inputs.{}", port.name);
        let mut columns = Vec::new();
        let mut conflicts = Vec::new();
        for name in &names {
            match self.column(port, name, &key) {
                Ok(at) if columns.contains(&at) => {
                    let message = format!("input `{}` takes column `{name}` twice", port.name);
                    conflicts.push(conflict(&key, message, "name each column once, in the model's order"));
                }
                Ok(at) => columns.push(at),
                Err(found) => conflicts.push(found),
            }
        }
        let width: usize = columns.iter().map(|at| width(&self.features[*at])).sum();
        if let (true, Some(wanted)) = (conflicts.is_empty(), port.width().filter(|wanted| *wanted != width)) {
            let message = format!("input `{}` takes {wanted} numbers a row, {width} are given", port.name);
            conflicts.push(conflict(&key, message, "name the columns in the order in which the model was trained"));
        }
        match conflicts.is_empty() {
            true => Ok(FedInput { port: port.clone(), columns }),
            false => Err(conflicts),
        }
    }

    fn nobody_feeds(&self, port: &Port) -> Conflict {
        let near = did_you_mean(&port.name, self.source.fields.iter().map(|field| field.name.as_str()));
        let message = format!(
            "nobody feeds the model's input `{}` ({}): the data has no column of that name{near}",
            port.name,
            port.describe()
        );
        let name = toml_key(&port.name);
        let help = match port.width() {
            Some(1) => format!("say which column it is:  [model.inputs]  {name} = \"column\""),
            _ => format!("list its columns in the model's order:  [model.inputs]  {name} = [{}]", self.candidates()),
        };
        conflict("model", message, help)
    }

    /// The data's columns that have no other role, to be put in order by whoever knows the model.
    fn candidates(&self) -> String {
        let data = &self.config.data;
        let roles = [&data.id, &data.label, &data.weight, &data.score];
        let has_role = |field: &Field| roles.iter().any(|role| role.as_deref() == Some(&field.name));
        let free: Vec<String> = self
            .source
            .fields
            .iter()
            .filter(|field| !has_role(field))
            .map(|field| format!("\"{}\"", field.name))
            .collect();
        free.join(", ")
    }

    /// Position of a raw column among the features; the same column may feed several inputs.
    fn column(&mut self, port: &Port, name: &str, key: &str) -> Result<usize, Conflict> {
        let Some(field) = self.source.field(name) else {
            let near = did_you_mean(name, self.source.fields.iter().map(|field| field.name.as_str()));
            let message =
                format!("the data has no column `{name}`, which is to feed the model's input `{}`{near}", port.name);
            return Err(conflict(key, message, format!("{} has: {}", self.source.path.display(), self.candidates())));
        };
        let spec = self.spec(port, field, key)?;
        if let Some(at) = self.features.iter().position(|feature| feature.column == name) {
            let known = &mut self.features[at];
            if known.want != spec.want {
                let message = format!("column `{name}` is to feed a text input and a number input");
                return Err(conflict(key, message, "give one of them a column of its own"));
            }
            known.refuse_missing |= spec.refuse_missing;
            return Ok(at);
        }
        self.features.push(spec);
        Ok(self.features.len() - 1)
    }

    fn spec(&self, port: &Port, field: &Field, key: &str) -> Result<FeatureSpec, Conflict> {
        let encode = self.config.data.encode.get(&field.name);
        let wants = |found: &str, help: String| {
            let message = format!(
                "column `{}` holds {found}, the model's input `{}` takes {}",
                field.name,
                port.name,
                port.element.name()
            );
            conflict(key, message, help)
        };
        let want = match (port.element, field.kind) {
            (_, Kind::Other) => {
                return Err(wants(&field.dtype, "convert it to numbers, text, booleans or dates".into()));
            }
            (Element::Text, Kind::List | Kind::Binary) => return Err(wants(&field.dtype, "give it text".into())),
            (Element::Text, _) if encode.is_some() => {
                return Err(wants(
                    "codes after [data.encode]",
                    "remove its [data.encode]: the model takes the text itself".into(),
                ));
            }
            (Element::Text, _) => Want::Text,
            (_, Kind::List | Kind::Binary) => self.tensor(port, field, key)?,
            _ if self.image(field).is_some() => {
                return Err(wants(&field.dtype, "[data.image] takes PNG or JPEG bytes, or lists of numbers".into()));
            }
            // A text format cannot tell of what type a column without values is.
            (_, Kind::Text) if encode.is_none() && self.is_empty(field) => {
                let message = format!("no value in any of {} rows of `{}`", self.n_rows, field.name);
                return Err(conflict(key, message, "fill it in the data, or feed another column"));
            }
            (_, Kind::Text) if encode.is_none() => {
                let help = format!(
                    "map its categories to the codes the model was trained on:  [data.encode]  {} = [\"…\", \"…\"]",
                    toml_key(&field.name)
                );
                return Err(wants("text", help));
            }
            _ => Want::Number,
        };
        let codes = encode.map(|categories| {
            categories
                .iter()
                .enumerate()
                .map(|(code, category)| (category.to_string(), code as f64))
                .collect::<HashMap<_, _>>()
        });
        Ok(FeatureSpec {
            column: field.name.clone(),
            want,
            encode: codes,
            refuse_missing: !port.element.takes_missing(),
        })
    }

    fn is_empty(&self, field: &Field) -> bool {
        let spec = FeatureSpec { column: field.name.clone(), want: Want::Text, encode: None, refuse_missing: false };
        let selection =
            Selection { features: vec![spec], filter: self.config.data.filter.clone(), ..Default::default() };
        Reader::empty_columns(self.source, &selection).is_ok_and(|empty| !empty.is_empty())
    }

    fn tensor(&self, port: &Port, field: &Field, key: &str) -> Result<Want, Conflict> {
        let Some(width) = port.width() else {
            let message = format!("input `{}` has more than one dynamic dimension ({})", port.name, port.describe());
            return Err(conflict(key, message, "export the model with a fixed image size"));
        };
        let image = self.image(field);
        let dims: Option<Vec<usize>> = port.dims.iter().skip(1).copied().collect();
        let picture = image.and_then(|_| Picture::of_dims(&dims?));
        if field.kind == Kind::Binary {
            self.check_coded(port, field, key, picture)?;
        }
        image.map_or(Ok(()), |image| check_channels(image, picture))?;
        let scale = image.map(|image| image_scale(image, picture)).unwrap_or_default();
        Ok(Want::Tensor { width, scale, picture })
    }

    /// The settings of the column that holds pictures.
    fn image(&self, field: &Field) -> Option<&Image> {
        self.config.data.image.as_ref().filter(|image| image.column == field.name)
    }

    /// Bytes are read where they are pictures and the model says of what size.
    fn check_coded(&self, port: &Port, field: &Field, key: &str, picture: Option<Picture>) -> Result<(), Conflict> {
        if self.image(field).is_none() {
            let message = format!("column `{}` holds bytes, and nothing says of what", field.name);
            let help = format!("if they are PNG or JPEG pictures, say so:  [data.image]  column = \"{}\"", field.name);
            return Err(conflict(key, message, help));
        }
        let numbers = port.element.is_float() || matches!(port.element, Element::U8 | Element::I32 | Element::I64);
        match picture {
            Some(_) if numbers => Ok(()),
            _ => {
                let message =
                    format!("the model's input `{}` ({}) is no picture of a fixed size", port.name, port.describe());
                let help = "export the model with height, width and channels, or give lists of numbers";
                Err(conflict(key, message, help))
            }
        }
    }
}

/// A mean or deviation for each channel needs as many channels.
fn check_channels(image: &Image, picture: Option<Picture>) -> Result<(), Conflict> {
    let channels = picture.map_or(1, |picture| picture.channels);
    for (key, values) in [("mean", &image.mean), ("std", &image.std)] {
        let Some(PerChannel::Each(values)) = values else { continue };
        if values.len() != channels {
            let message = format!("{} numbers are given, the model's picture has {channels} channel(s)", values.len());
            return Err(conflict(format!("data.image.{key}"), message, "give one number, or one for each channel"));
        }
    }
    Ok(())
}

fn image_scale(image: &Image, picture: Option<Picture>) -> ImageScale {
    let channels = picture.map_or(1, |picture| picture.channels);
    let each = |values: &Option<PerChannel>| match values {
        None => Vec::new(),
        Some(PerChannel::Same(value)) => vec![*value; channels],
        Some(PerChannel::Each(values)) => values.clone(),
    };
    let channels_last = picture.is_some_and(|picture| picture.channels_last);
    ImageScale { scale: image.scale, mean: each(&image.mean), std: each(&image.std), channels_last }
}

fn width(feature: &FeatureSpec) -> usize {
    match feature.want {
        Want::Tensor { width, .. } => width,
        _ => 1,
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A key as it must be typed in TOML.
fn toml_key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { format!("{name:?}") }
}
