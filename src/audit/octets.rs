//! Bytes that stand as text in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, written as base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl Octets {
    /// As base64 (RFC 4648, with padding).
    pub fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Octets).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_text() {
        let bytes = Octets((0..=255).collect());
        let text = serde_json::to_string(&bytes).unwrap();
        assert!(text.starts_with("\"AAECAw"), "{text}");
        assert_eq!(serde_json::from_str::<Octets>(&text).unwrap(), bytes);
        assert!(serde_json::from_str::<Octets>("\"?\"").is_err());
    }

    #[test]
    fn the_text_is_that_of_the_standard() {
        let of = |text: &str| Octets(text.into()).text();
        assert_eq!([of(""), of("f"), of("fo"), of("foo"), of("foob")], ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
        assert_eq!(Octets(vec![0xff, 0xfe, 0xfd]).text(), "//79");
    }
}
