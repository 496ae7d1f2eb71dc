//! What LIME needs to know of the config and the columns.

use super::error::conflict;
use crate::config::{self, Config, Conflict, SurrogateFeatures};
use crate::dataset::{FeatureSpec, Kind, Source, Want};
use crate::explain::game::{Players, Scale};
use crate::explain::lime::{
    Around, Choice, Discretiser, LimeColumn, LimeSettings, PointBins, Selection as BySelection, Stability,
};

/// Replicates that stability is taken from where no further seeds are asked for.
const REPLICATES: usize = 20;

/// LIME, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct LimePlan {
    pub settings: LimeSettings,
    /// The raw columns in model order.
    pub columns: Vec<LimeColumn>,
}

/// The surrogates of `[explain]` or an `[[explain.also]]`, which stands at `key`.
pub(super) fn lime(
    config: &Config,
    explain: &config::Explain,
    key: &str,
    players: &Players,
    outputs: Vec<usize>,
    scale: Scale,
    columns: Vec<LimeColumn>,
) -> Result<LimePlan, Conflict> {
    if players.len() < columns.len() {
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
    Ok(LimePlan { settings, columns })
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

/// What the columns mean; none may hold pictures.
pub(super) fn columns(
    config: &Config,
    key: &str,
    features: &[FeatureSpec],
    source: &Source,
) -> Result<Vec<LimeColumn>, Conflict> {
    let pictures = features.iter().find(|feature| matches!(feature.want, Want::Tensor { .. }));
    if let Some(picture) = pictures {
        let message = format!("column `{}` holds pictures or lists, which LIME for tables cannot vary", picture.column);
        return Err(conflict(format!("{key}.method"), message, "use another method"));
    }
    Ok(features.iter().map(|feature| column(config, feature, source)).collect())
}

fn column(config: &Config, feature: &FeatureSpec, source: &Source) -> LimeColumn {
    let boolean = source.field(&feature.column).is_some_and(|field| field.kind == Kind::Boolean);
    let listed = config.data.encode.get(&feature.column);
    let levels = match listed {
        Some(levels) => levels.iter().map(ToString::to_string).collect(),
        None if boolean => vec!["false".to_owned(), "true".to_owned()],
        None => Vec::new(),
    };
    let categorical = boolean || listed.is_some() || config.data.categorical.contains(&feature.column);
    LimeColumn { name: feature.column.clone(), categorical, levels }
}
