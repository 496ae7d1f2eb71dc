//! `[report] logo` and `[[report.sections]]`: what the house itself adds to its reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A section of one's own, written in Markdown. Give `file` or `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSection {
    /// Heading of the section.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// Markdown file of at most 64 KiB, relative to this file's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub file: Option<String>,
    /// The Markdown itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub text: Option<String>,
    /// Where it stands: "start", "end", or after a section of the report; at the end where a run has no such section.
    /// Default "end".
    #[serde(default)]
    pub place: Place,
}

macro_rules! places {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// A place in the report.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Place {
            $($(#[$doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Place {
            pub const ALL: &[Place] = &[$(Place::$variant,)+];

            /// The name as typed; a section's is its anchor in the report.
            pub fn name(self) -> &'static str {
                match self {
                    $(Place::$variant => $name,)+
                }
            }
        }
    };
}

places! {
    /// Before all sections.
    Start = "start",
    /// After all sections.
    #[default]
    End = "end",
    /// After the gates.
    Gates = "gates",
    /// After what was audited.
    Scope = "scope",
    /// After the performance.
    Performance = "performance",
    /// After fairness.
    Fairness = "fairness",
    /// After what drives the model.
    Drivers = "drivers",
    /// After the effects of columns.
    Effects = "effects",
    /// After how simple the model is.
    Simplicity = "simplicity",
    /// After what drives the gaps.
    Gaps = "gaps",
    /// After the cases.
    Cases = "cases",
    /// After the pictures.
    Pictures = "pictures",
    /// After further methods.
    Opinions = "opinions",
    /// After what small changes do to decisions.
    Robustness = "robustness",
    /// After the model's structure.
    Structure = "structure",
    /// After the layers of a network.
    Layers = "layers",
    /// After what is withheld.
    Withheld = "withheld",
    /// After what changed.
    History = "history",
    /// After methods, limits and provenance.
    Provenance = "provenance",
}
