//! Relative links between files.

use std::path::Path;

/// The link from a page in `folder` to `file`; both absolute.
pub(super) fn between(folder: &Path, file: &Path) -> String {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| encoded(&part.as_os_str().to_string_lossy()));
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// One name of a path, percent-encoded where a URL would read something else (RFC 3986, 3.3).
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'=' | b'+' | b'@' => {
                text.push(byte.into())
            }
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_climb_to_the_shared_folder_and_are_encoded() {
        let link = |file: &str| between(Path::new("/v/site/adult"), Path::new(file));
        assert_eq!(link("/v/results/pipeline=adult/a.html"), "../../results/pipeline=adult/a.html");
        assert_eq!(link("/v/site/adult/b.html"), "b.html");
        assert_eq!(link("/v/my results #1/a?.html"), "../../my%20results%20%231/a%3F.html");
    }
}
