//! SHA-256 of what a run was made from.

use super::error::StoreError;
use super::file::hex;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::PathBuf;

/// Hash of bytes held in memory, in hexadecimal.
pub fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Hash of files, in hexadecimal: of a single file its own, of several that of their names and hashes in order.
pub fn sha256_of_files(files: &[PathBuf]) -> Result<String, StoreError> {
    if let [file] = files {
        return one(file);
    }
    let mut whole = Sha256::new();
    for file in files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        whole.update(format!("{name}\n{}\n", one(file)?));
    }
    Ok(hex(&whole.finalize()))
}

fn one(path: &PathBuf) -> Result<String, StoreError> {
    let io = |error| StoreError::io("read", path, error);
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_file_has_its_own_hash_and_several_depend_on_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&a, "abc").unwrap();
        std::fs::write(&b, "").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_files(std::slice::from_ref(&a)).unwrap(), known);
        assert_eq!(sha256_of(b"abc"), known);
        assert_ne!(sha256_of_files(&[a.clone(), b.clone()]).unwrap(), sha256_of_files(&[b, a]).unwrap());
    }
}
