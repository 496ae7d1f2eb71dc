//! What can be wrong with the model, said so that it can be mended.

use super::runtime::RuntimeError;

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{model}: {reason}")]
    Unreadable { model: String, reason: String },
    #[error("{model}: ONNX Runtime rejects it: {reason}")]
    Rejected { model: String, reason: String },
    #[error("{model}: input `{input}` {problem}; {advice}")]
    Input { model: String, input: String, problem: String, advice: String },
    #[error("{model}: output `{output}` {problem}; {advice}")]
    Output { model: String, output: String, problem: String, advice: String },
    #[error("{model}: {problem}; {advice}")]
    Unusable { model: String, problem: String, advice: String },
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}
