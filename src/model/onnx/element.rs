//! Element types of tensors (`TensorProto.DataType`).

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementType {
    Float,
    Double,
    Float16,
    BFloat16,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Bool,
    String,
    /// A type that is not read here (complex numbers, 8-bit floats, 4-bit integers), with its code.
    Other(i32),
}

impl ElementType {
    pub fn from_code(code: i32) -> ElementType {
        match code {
            1 => ElementType::Float,
            2 => ElementType::UInt8,
            3 => ElementType::Int8,
            4 => ElementType::UInt16,
            5 => ElementType::Int16,
            6 => ElementType::Int32,
            7 => ElementType::Int64,
            8 => ElementType::String,
            9 => ElementType::Bool,
            10 => ElementType::Float16,
            11 => ElementType::Double,
            12 => ElementType::UInt32,
            13 => ElementType::UInt64,
            16 => ElementType::BFloat16,
            other => ElementType::Other(other),
        }
    }

    /// Bytes of one element in `raw_data`; `None` for strings and unread types.
    pub fn size(self) -> Option<usize> {
        match self {
            ElementType::Int8 | ElementType::UInt8 | ElementType::Bool => Some(1),
            ElementType::Float16 | ElementType::BFloat16 | ElementType::Int16 | ElementType::UInt16 => Some(2),
            ElementType::Float | ElementType::Int32 | ElementType::UInt32 => Some(4),
            ElementType::Double | ElementType::Int64 | ElementType::UInt64 => Some(8),
            ElementType::String | ElementType::Other(_) => None,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            ElementType::Float => "float32",
            ElementType::Double => "float64",
            ElementType::Float16 => "float16",
            ElementType::BFloat16 => "bfloat16",
            ElementType::Int8 => "int8",
            ElementType::Int16 => "int16",
            ElementType::Int32 => "int32",
            ElementType::Int64 => "int64",
            ElementType::UInt8 => "uint8",
            ElementType::UInt16 => "uint16",
            ElementType::UInt32 => "uint32",
            ElementType::UInt64 => "uint64",
            ElementType::Bool => "bool",
            ElementType::String => "string",
            ElementType::Other(code) => return write!(f, "type {code}"),
        };
        f.write_str(name)
    }
}
