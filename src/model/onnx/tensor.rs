//! Constant tensors: weights and thresholds as numbers or text.

use super::element::ElementType;
use super::error::OnnxError;
use super::proto::TensorProto;

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// A constant, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Empty for a scalar.
    pub dims: Vec<usize>,
    /// As stored in the file; `values` may be wider.
    pub element: ElementType,
    pub values: Values,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All floating types, widened (exactly).
    Float(Vec<f64>),
    /// All integer types and booleans; `uint64` beyond the range wraps.
    Int(Vec<i64>),
    Text(Vec<String>),
}

impl Tensor {
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Float(values) => values.len(),
            Values::Int(values) => values.len(),
            Values::Text(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers as f64; `None` for text.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match &self.values {
            Values::Float(values) => Some(values.clone()),
            Values::Int(values) => Some(values.iter().map(|value| *value as f64).collect()),
            Values::Text(_) => None,
        }
    }

    /// Integers; `None` for floats and text.
    pub fn integers(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Int(values) => Some(values),
            _ => None,
        }
    }
}

impl TryFrom<&TensorProto> for Tensor {
    type Error = OnnxError;

    /// Reads typed fields or `raw_data` (little-endian); nothing is allocated beyond what the file itself holds.
    fn try_from(proto: &TensorProto) -> Result<Tensor, OnnxError> {
        if proto.data_location == EXTERNAL {
            return Err(external(proto));
        }
        let element = ElementType::from_code(proto.data_type);
        let values = match &proto.raw_data {
            Some(raw) => from_raw(proto, element, raw)?,
            None => from_fields(proto, element)?,
        };
        let tensor = Tensor { dims: dims(proto)?, element, values };
        let expected = tensor.dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        if expected != Some(tensor.len()) {
            return Err(wrong_size(proto, tensor.len()));
        }
        Ok(tensor)
    }
}

fn dims(proto: &TensorProto) -> Result<Vec<usize>, OnnxError> {
    proto.dims.iter().map(|dim| usize::try_from(*dim).map_err(|_| wrong_size(proto, 0))).collect()
}

fn from_raw(proto: &TensorProto, element: ElementType, raw: &[u8]) -> Result<Values, OnnxError> {
    let size = element.size().ok_or_else(|| unsupported(proto, element))?;
    if !raw.len().is_multiple_of(size) {
        return Err(wrong_size(proto, raw.len() / size));
    }
    Ok(match element {
        ElementType::Float => floats::<4>(raw, |bytes| f64::from(f32::from_le_bytes(bytes))),
        ElementType::Double => floats::<8>(raw, f64::from_le_bytes),
        ElementType::Float16 => floats::<2>(raw, |bytes| from_half(u16::from_le_bytes(bytes))),
        ElementType::BFloat16 => floats::<2>(raw, |bytes| from_bfloat(u16::from_le_bytes(bytes))),
        ElementType::Int8 => ints::<1>(raw, |bytes| i64::from(i8::from_le_bytes(bytes))),
        ElementType::UInt8 | ElementType::Bool => ints::<1>(raw, |bytes| i64::from(bytes[0])),
        ElementType::Int16 => ints::<2>(raw, |bytes| i64::from(i16::from_le_bytes(bytes))),
        ElementType::UInt16 => ints::<2>(raw, |bytes| i64::from(u16::from_le_bytes(bytes))),
        ElementType::Int32 => ints::<4>(raw, |bytes| i64::from(i32::from_le_bytes(bytes))),
        ElementType::UInt32 => ints::<4>(raw, |bytes| i64::from(u32::from_le_bytes(bytes))),
        ElementType::Int64 | ElementType::UInt64 => ints::<8>(raw, i64::from_le_bytes),
        ElementType::String | ElementType::Other(_) => return Err(unsupported(proto, element)),
    })
}

fn from_fields(proto: &TensorProto, element: ElementType) -> Result<Values, OnnxError> {
    let words = || proto.int32_data.iter();
    Ok(match element {
        ElementType::Float => Values::Float(proto.float_data.iter().map(|value| f64::from(*value)).collect()),
        ElementType::Double => Values::Float(proto.double_data.clone()),
        ElementType::Float16 => Values::Float(words().map(|bits| from_half(*bits as u16)).collect()),
        ElementType::BFloat16 => Values::Float(words().map(|bits| from_bfloat(*bits as u16)).collect()),
        ElementType::Int64 => Values::Int(proto.int64_data.clone()),
        ElementType::UInt32 | ElementType::UInt64 => {
            Values::Int(proto.uint64_data.iter().map(|value| *value as i64).collect())
        }
        ElementType::String => {
            Values::Text(proto.string_data.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
        }
        ElementType::Other(_) => return Err(unsupported(proto, element)),
        _ => Values::Int(words().map(|value| i64::from(*value)).collect()),
    })
}

fn floats<const SIZE: usize>(raw: &[u8], read: impl Fn([u8; SIZE]) -> f64) -> Values {
    Values::Float(raw.as_chunks::<SIZE>().0.iter().map(|bytes| read(*bytes)).collect())
}

fn ints<const SIZE: usize>(raw: &[u8], read: impl Fn([u8; SIZE]) -> i64) -> Values {
    Values::Int(raw.as_chunks::<SIZE>().0.iter().map(|bytes| read(*bytes)).collect())
}

fn from_bfloat(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

/// IEEE 754 binary16.
fn from_half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

fn external(proto: &TensorProto) -> OnnxError {
    let location = proto.external_data.iter().find(|entry| entry.key == "location");
    OnnxError::ExternalData {
        tensor: proto.name.clone(),
        location: location.map_or_else(|| "an unnamed file".to_owned(), |entry| entry.value.clone()),
    }
}

fn unsupported(proto: &TensorProto, element: ElementType) -> OnnxError {
    OnnxError::UnsupportedElement { tensor: proto.name.clone(), element: element.to_string() }
}

fn wrong_size(proto: &TensorProto, found: usize) -> OnnxError {
    OnnxError::TensorSize { tensor: proto.name.clone(), dims: proto.dims.clone(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(code: i32, dims: &[i64], bytes: &[u8]) -> TensorProto {
        TensorProto { data_type: code, dims: dims.to_vec(), raw_data: Some(bytes.to_vec()), ..Default::default() }
    }

    fn numbers(proto: &TensorProto) -> Vec<f64> {
        Tensor::try_from(proto).unwrap().numbers().unwrap()
    }

    #[test]
    fn raw_and_typed_storage_read_the_same_numbers() {
        let typed = TensorProto { data_type: 1, dims: vec![2], float_data: vec![0.1, -3.0], ..Default::default() };
        let bytes: Vec<u8> = [0.1_f32, -3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(numbers(&typed), numbers(&raw(1, &[2], &bytes)));
        let typed = TensorProto { data_type: 11, dims: vec![1], double_data: vec![0.1], ..Default::default() };
        assert_eq!(numbers(&typed), numbers(&raw(11, &[1], &0.1_f64.to_le_bytes())));
        let typed = TensorProto { data_type: 3, dims: vec![2], int32_data: vec![-5, 7], ..Default::default() };
        assert_eq!(numbers(&typed), numbers(&raw(3, &[2], &[0xfb, 7])));
    }

    #[test]
    fn half_floats_are_widened_exactly() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333251953125), (0x0001, 2f64.powi(-24))] {
            assert_eq!(from_half(bits), value);
        }
        assert_eq!(from_half(0x7c00), f64::INFINITY);
        assert!(from_half(0x7e00).is_nan());
        assert_eq!(from_bfloat(0x3fc0), 1.5);
    }

    #[test]
    fn a_shape_that_does_not_fit_its_data_is_refused() {
        assert!(matches!(Tensor::try_from(&raw(1, &[3], &[0; 8])), Err(OnnxError::TensorSize { found: 2, .. })));
        assert!(matches!(Tensor::try_from(&raw(1, &[-1], &[0; 4])), Err(OnnxError::TensorSize { .. })));
        let huge = raw(1, &[i64::MAX, i64::MAX], &[0; 4]);
        assert!(matches!(Tensor::try_from(&huge), Err(OnnxError::TensorSize { .. })));
        assert!(matches!(Tensor::try_from(&raw(1, &[1], &[0; 3])), Err(OnnxError::TensorSize { .. })));
    }

    #[test]
    fn external_data_is_named() {
        let entry = super::super::proto::StringStringEntryProto { key: "location".into(), value: "w.bin".into() };
        let proto =
            TensorProto { data_location: EXTERNAL, name: "w".into(), external_data: vec![entry], ..raw(1, &[1], &[]) };
        let found = Tensor::try_from(&proto);
        assert_eq!(found, Err(OnnxError::ExternalData { tensor: "w".into(), location: "w.bin".into() }));
    }

    #[test]
    fn a_scalar_has_no_dimensions_and_one_element() {
        let tensor = Tensor::try_from(&raw(7, &[], &5_i64.to_le_bytes())).unwrap();
        assert_eq!((tensor.dims.len(), tensor.integers()), (0, Some([5].as_slice())));
    }
}
