//! Pseudonyms for row ids: HMAC-SHA256 (RFC 2104) under a key that only the owner of the data has.

use super::file::hex;
use crate::dataset::batch::RowIds;
use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// Makes pseudonyms; the same key and id give the same pseudonym in every run.
#[derive(Clone)]
pub struct Pseudonyms {
    /// The hash after the key's inner and outer block.
    inner: Sha256,
    outer: Sha256,
}

impl Pseudonyms {
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0u8; BLOCK];
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let padded = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    fn code(&self, message: &[u8]) -> String {
        let inner = self.inner.clone().chain_update(message).finalize();
        hex(&self.outer.clone().chain_update(inner).finalize())
    }

    /// The ids' pseudonyms, 64 hexadecimal digits each; a number's is that of its digits.
    pub fn of(&self, ids: &RowIds) -> RowIds {
        RowIds::Text((0..ids.len()).map(|row| self.code(ids.text(row).as_bytes())).collect())
    }

    /// Names the key without giving it away.
    pub fn key_id(&self) -> String {
        let mut id = self.code(b"probity: which key is this?");
        id.truncate(16);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_4231() {
        let case = |key: &[u8], message: &[u8]| Pseudonyms::new(key).code(message);
        let known = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(case(&[0x0b; 20], b"Hi There"), known);
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(case(b"Jefe", b"what do ya want for nothing?"), known);
        let known = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(case(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"), known);
    }

    #[test]
    fn a_number_and_its_digits_have_one_pseudonym_and_keys_have_different_ones() {
        let pseudonyms = Pseudonyms::new(b"key");
        assert_eq!(pseudonyms.of(&RowIds::Int(vec![7])), pseudonyms.of(&RowIds::Text(vec!["7".into()])));
        assert_ne!(pseudonyms.of(&RowIds::Int(vec![7])), Pseudonyms::new(b"yek").of(&RowIds::Int(vec![7])));
        assert_ne!(pseudonyms.key_id(), Pseudonyms::new(b"yek").key_id());
    }
}
