//! What LIME needs to know of the config and the columns.

use super::error::conflict;
use super::patches::picture;
use crate::config::{self, Config, Conflict, SurrogateFeatures};
use crate::dataset::{FeatureSpec, Kind, Picture, Source, Want};
use crate::explain::game::{Players, Scale};
use crate::explain::lime::{
    Around, Choice, Discretiser, Hidden, LimeColumn, LimeSettings, PointBins, Selection as BySelection, Stability,
    Superpixels,
};

/// Replicates that stability is taken from where no further seeds are asked for.
const REPLICATES: usize = 20;
/// Segments of a picture, and the pixels that one has at least, where no number is asked for.
const SEGMENTS: usize = 50;
const LEAST_PIXELS: usize = 25;

/// LIME, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct LimePlan {
    pub settings: LimeSettings,
    pub varied: Varied,
}

/// What neighbours differ in.
#[derive(Debug, Clone, PartialEq)]
pub enum Varied {
    /// The raw columns in model order.
    Columns(Vec<LimeColumn>),
    /// The segments of the picture that is all the model takes.
    Segments(Superpixels),
}

/// The surrogates of `[explain]` or an `[[explain.also]]`, which stands at `key`.
pub(super) fn lime(
    config: &Config,
    explain: &config::Explain,
    key: &str,
    players: &Players,
    outputs: Vec<usize>,
    scale: Scale,
    varied: Varied,
) -> Result<LimePlan, Conflict> {
    let n_columns = if let Varied::Columns(columns) = &varied { columns.len() } else { 1 };
    if players.len() < n_columns {
        let message = "LIME's surrogates weigh single columns: `players` cannot join them";
        return Err(conflict(format!("{key}.players"), message, "leave players out here, or use a Shapley method"));
    }
    let typed = &explain.lime;
    let settings = LimeSettings {
        samples: explain.budget as usize,
        kernel_width: typed.kernel_width,
        discretiser: match typed.discretiser {
            config::Discretiser::Quartile => Discretiser::Quartile,
            config::Discretiser::Decile => Discretiser::Decile,
            config::Discretiser::None => Discretiser::Off,
        },
        around: match typed.around {
            config::Around::Data => Around::Data,
            config::Around::Row => Around::Row,
        },
        point_bins: match typed.point_bins {
            config::PointBins::AsLime => PointBins::AsLime,
            config::PointBins::Own => PointBins::Own,
        },
        features: choice(typed),
        ridge: typed.ridge,
        stability: match typed.seeds {
            0 => Stability::Resampled { replicates: REPLICATES },
            seeds => Stability::Seeds { further: seeds as usize },
        },
        ..LimeSettings::new(outputs, scale, config.pipeline.seed)
    };
    Ok(LimePlan { settings, varied })
}

fn choice(typed: &config::Lime) -> Choice {
    let SurrogateFeatures::Best(k) = typed.features else { return Choice::All };
    let by = match typed.selection {
        config::FeatureSelection::Auto => BySelection::Auto,
        config::FeatureSelection::Forward => BySelection::Forward,
        config::FeatureSelection::HighestWeights => BySelection::HighestWeights,
        config::FeatureSelection::LassoPath => BySelection::LassoPath,
    };
    Choice::Best { k: k as usize, by }
}

/// The segments of a picture, or what the columns mean.
pub(super) fn varied(
    config: &Config,
    lime: &config::Lime,
    key: &str,
    features: &[FeatureSpec],
    source: &Source,
) -> Result<Varied, Conflict> {
    match (features, picture(features)) {
        ([_], Some((_, picture))) => Ok(Varied::Segments(superpixels(lime, picture))),
        _ => columns(config, key, features, source).map(Varied::Columns),
    }
}

fn superpixels(lime: &config::Lime, picture: Picture) -> Superpixels {
    let few = (picture.n_pixels() / LEAST_PIXELS).clamp(1, SEGMENTS);
    let segments = lime.segments.map_or(few, |segments| segments as usize);
    Superpixels {
        picture,
        segments: segments.min(picture.n_pixels()),
        compactness: lime.compactness,
        hidden: match lime.hide_color {
            config::HideColor::Mean => Hidden::Mean,
            config::HideColor::Number(number) => Hidden::Number(number as f32),
        },
    }
}

/// What the columns mean; none may hold pictures.
fn columns(config: &Config, key: &str, features: &[FeatureSpec], source: &Source) -> Result<Vec<LimeColumn>, Conflict> {
    let pictures = features.iter().find(|feature| matches!(feature.want, Want::Tensor { .. }));
    if let Some(picture) = pictures {
        let message = format!(
            "column `{}` holds lists, or pictures beside other columns; LIME varies tables, or a picture alone",
            picture.column,
        );
        return Err(conflict(format!("{key}.method"), message, "use another method"));
    }
    Ok(features.iter().map(|feature| column(config, feature, source)).collect())
}

fn column(config: &Config, feature: &FeatureSpec, source: &Source) -> LimeColumn {
    let boolean = source.field(&feature.column).is_some_and(|field| field.kind == Kind::Boolean);
    let mut levels = config.data.categories(&feature.column);
    if boolean && levels.is_empty() {
        levels = vec!["false".to_owned(), "true".to_owned()];
    }
    let categorical = boolean || config.data.is_code(&feature.column);
    LimeColumn { name: feature.column.clone(), categorical, levels }
}
