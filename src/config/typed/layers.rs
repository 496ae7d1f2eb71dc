//! `[layers]`: what a network does inside.

use super::Rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tensors of a neural model whose outputs are analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Layers {
    /// "auto", "all", or names of tensors or nodes, with * and ? for any letters. Default "auto".
    pub tensors: Tensors,
    /// Most layers that "auto" takes, evenly spread over the network. Default 12.
    #[schemars(range(min = 1))]
    pub most: u64,
    /// "all", or how many rows are sent through, sampled with the seed. Default 2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Whether linear probes are fitted for the label and for each attribute. Default true.
    pub probes: bool,
    /// Of how many units (the channels that spread most) the report shows the planes that a layer computes for up to three
    /// cases. Default 0.
    #[schemars(range(max = 12))]
    pub maps: u64,
}

impl Default for Layers {
    fn default() -> Self {
        Layers { tensors: Tensors::Auto, most: 12, rows: None, probes: true, maps: 0 }
    }
}

/// Which tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tensors {
    /// The end of every block: a convolution or matrix product with its bias, normalisation and activation.
    #[default]
    Auto,
    /// The output of every layer.
    All,
    /// By name.
    #[serde(untagged)]
    Named(#[schemars(length(min = 1))] Vec<String>),
}
