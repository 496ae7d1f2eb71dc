//! Bytes to `ModelProto`, with errors that say what the file is instead.

use super::error::OnnxError;
use super::proto::ModelProto;
use super::wire::{Field, WireError, WireType, fields};
use prost::Message;

/// IR versions are small numbers; anything larger in field 1 is not an ONNX file.
const LARGEST_IR_VERSION: u64 = 1_000;

/// Decodes a model. Nesting is bounded by the decoder (100 messages), allocation by the length of the file.
pub fn decode(bytes: &[u8]) -> Result<ModelProto, OnnxError> {
    if bytes.is_empty() {
        return Err(OnnxError::Empty);
    }
    check_wire(bytes)?;
    let model = ModelProto::decode(bytes).map_err(|error| OnnxError::Damaged { reason: error.to_string() })?;
    if model.graph.is_none() {
        return Err(OnnxError::NoGraph);
    }
    Ok(model)
}

/// Walks the top level only: large files are one long graph field, so a cut shows here.
fn check_wire(bytes: &[u8]) -> Result<(), OnnxError> {
    let mut looks_like_onnx = false;
    for (position, field) in fields(bytes).enumerate() {
        match field {
            Ok(field) if !may_stand_in_model(&field) => return Err(foreign(bytes)),
            Ok(field) => looks_like_onnx |= field.number <= 8,
            Err(WireError::Overrun { number }) if looks_like_onnx || (position == 0 && bytes[0] == 0x08) => {
                return Err(OnnxError::Truncated { what: field_name(number), length: bytes.len() });
            }
            Err(_) => return Err(foreign(bytes)),
        }
    }
    Ok(())
}

/// Whether a field has the type that `ModelProto` gives its number; unknown numbers may come with later versions.
fn may_stand_in_model(field: &Field<'_>) -> bool {
    match field.number {
        1 => {
            field.kind == WireType::Varint && field.payload.len() < 3 && ir_version(field.payload) < LARGEST_IR_VERSION
        }
        5 => field.kind == WireType::Varint,
        2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26 => field.kind == WireType::Bytes,
        number => number < 64,
    }
}

fn ir_version(payload: &[u8]) -> u64 {
    payload.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

fn field_name(number: u64) -> String {
    match number {
        7 => "the graph".to_owned(),
        8 => "the list of operator sets".to_owned(),
        _ => format!("field {number}"),
    }
}

fn foreign(bytes: &[u8]) -> OnnxError {
    let found = match bytes {
        [b'P', b'K', 3, 4, ..] => "it is a ZIP archive".to_owned(),
        [b'P', b'A', b'R', b'1', ..] => "it is a Parquet file".to_owned(),
        [0x89, b'H', b'D', b'F', ..] => "it is an HDF5 file".to_owned(),
        [0x80, 2..=5, ..] => "it is a Python pickle".to_owned(),
        [b'O', b'R', b'T', b'M', ..] | [_, _, _, _, b'O', b'R', b'T', b'M', ..] => "it is in ORT format".to_owned(),
        [b'{' | b'[' | b'<', ..] => "it is a text file".to_owned(),
        _ => {
            let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("it starts with {}", start.join(" "))
        }
    };
    OnnxError::NotOnnx { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::Graph;
    use crate::model::onnx::testing::stump;
    use crate::model::onnx::wire::put_bytes;

    #[test]
    fn every_prefix_of_a_model_is_an_error_or_a_model_and_never_a_panic() {
        let bytes = stump().encode_to_vec();
        for length in 0..bytes.len() {
            if let Ok(graph) = Graph::decode(&bytes[..length]) {
                crate::model::import::recognise(&graph);
            }
        }
        assert!(matches!(decode(&bytes[..bytes.len() / 2]), Err(OnnxError::Truncated { .. })));
    }

    #[test]
    fn no_flipped_bit_panics() {
        let bytes = stump().encode_to_vec();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(graph) = Graph::decode(&flipped) {
                    crate::model::import::recognise(&graph);
                    crate::model::onnx::summary(&graph);
                }
            }
        }
    }

    #[test]
    fn foreign_files_are_called_by_their_name() {
        for (bytes, name) in [
            (b"PK\x03\x04rest of the archive".as_slice(), "ZIP"),
            (b"PAR1\x15\x04\x15\x10", "Parquet"),
            (b"{\"learner\": {}}", "text"),
            (b"\x80\x04\x95\x10\x00", "pickle"),
            (b"\x89HDF\r\n", "HDF5"),
        ] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains("not an ONNX file") && error.contains(name), "{error}");
        }
    }

    #[test]
    fn an_empty_file_and_a_file_without_graph_say_so() {
        assert_eq!(decode(&[]).unwrap_err(), OnnxError::Empty);
        assert_eq!(decode(&[0x08, 0x08]).unwrap_err(), OnnxError::NoGraph);
    }

    #[test]
    fn nesting_beyond_the_limit_is_an_error() {
        let mut bytes = Vec::new();
        for _ in 0..5_000 {
            // TypeProto.sequence_type.elem_type
            let mut sequence = Vec::new();
            put_bytes(&mut sequence, 1, &bytes);
            bytes = Vec::new();
            put_bytes(&mut bytes, 4, &sequence);
        }
        let mut port = Vec::new();
        put_bytes(&mut port, 2, &bytes);
        let mut graph = Vec::new();
        put_bytes(&mut graph, 11, &port);
        let mut model = Vec::new();
        put_bytes(&mut model, 7, &graph);
        assert!(matches!(decode(&model), Err(OnnxError::Damaged { .. })));
    }
}
