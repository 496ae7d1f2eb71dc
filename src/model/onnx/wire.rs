//! The protobuf wire format, field by field, without interpreting any message.
//!
//! Enough to tell a truncated file from a foreign one and to edit messages without re-encoding what is kept.

/// One field as it stands in the bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field<'a> {
    pub number: u64,
    pub kind: WireType,
    /// Tag, length and content.
    pub whole: &'a [u8],
    /// Content alone.
    pub payload: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireType {
    Varint,
    Fixed64,
    Bytes,
    Fixed32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    /// Field `number` ends beyond the bytes.
    Overrun { number: u64 },
    /// No protobuf: a tag with an impossible number or type.
    BadTag,
}

/// Iterates over the fields of one message; stops after the first error.
pub fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields { bytes, at: 0 }
}

pub struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.at = self.bytes.len();
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Result<Field<'a>, WireError> {
        let start = self.at;
        let tag = self.varint(0)?;
        let number = tag >> 3;
        if number == 0 || number >= 1 << 29 {
            return Err(WireError::BadTag);
        }
        let kind = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            5 => WireType::Fixed32,
            _ => return Err(WireError::BadTag),
        };
        let overrun = WireError::Overrun { number };
        let mut content = self.at;
        let length = match kind {
            WireType::Fixed64 => 8,
            WireType::Fixed32 => 4,
            WireType::Varint => {
                self.varint(number)?;
                self.at - content
            }
            WireType::Bytes => {
                let length = usize::try_from(self.varint(number)?).map_err(|_| overrun)?;
                content = self.at;
                length
            }
        };
        let end = content.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(overrun)?;
        self.at = end;
        Ok(Field { number, kind, whole: &self.bytes[start..end], payload: &self.bytes[content..end] })
    }

    fn varint(&mut self, number: u64) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(WireError::Overrun { number })?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::BadTag)
    }
}

/// Appends a length-delimited field.
pub fn put_bytes(out: &mut Vec<u8>, number: u64, payload: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, payload.len() as u64);
    out.extend_from_slice(payload);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_back() {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, 7, &[1; 300]);
        put_bytes(&mut bytes, 12, b"x");
        let read: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].number, read[0].payload.len()), (7, 300));
        assert_eq!((read[1].number, read[1].payload), (12, b"x".as_slice()));
        assert_eq!(read[0].whole.len() + read[1].whole.len(), bytes.len());
    }

    #[test]
    fn every_cut_inside_a_field_is_an_overrun_of_that_field() {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, 7, &[9; 200]);
        for length in 1..bytes.len() {
            let last = fields(&bytes[..length]).last().unwrap();
            assert!(matches!(last, Err(WireError::Overrun { .. })), "{length}: {last:?}");
        }
    }

    #[test]
    fn lengths_beyond_memory_are_overruns() {
        let bytes = [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(fields(&bytes).next(), Some(Err(WireError::Overrun { number: 7 })));
    }

    #[test]
    fn groups_and_field_zero_are_no_protobuf() {
        assert_eq!(fields(&[0x0b]).next(), Some(Err(WireError::BadTag)));
        assert_eq!(fields(&[0x02, 0x00]).next(), Some(Err(WireError::BadTag)));
    }
}
