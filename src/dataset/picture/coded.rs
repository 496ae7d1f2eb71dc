//! PNG or JPEG bytes → the numbers of one picture, in the model's order.

use super::raster::PictureError;
use super::{Picture, jpeg, png};

/// Writes the picture's numbers, each passed through `scaled` (position, value from 0 to 255), to `into`, which holds
/// [`Picture::n_numbers`].
///
/// # Errors
/// Bytes of another kind, broken ones, another size (told before the picture is unpacked) or other channels.
pub(in crate::dataset) fn write(
    bytes: &[u8],
    picture: &Picture,
    scaled: impl Fn(usize, f64) -> f64,
    into: &mut [f32],
) -> Result<(), PictureError> {
    let raster = match bytes {
        _ if bytes.starts_with(png::SIGNATURE) => png::decode(bytes, picture)?,
        _ if bytes.starts_with(jpeg::SIGNATURE) => jpeg::decode(bytes, picture)?,
        _ => return Err(unknown(bytes)),
    };
    raster.check_channels(picture.channels)?;
    for pixel in 0..picture.n_pixels() {
        for channel in 0..picture.channels {
            let number = picture.number(pixel, channel);
            into[number] = scaled(number, raster.sample(pixel, channel)) as f32;
        }
    }
    Ok(())
}

fn unknown(bytes: &[u8]) -> PictureError {
    let beginning: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let beginning = if beginning.is_empty() { "nothing".to_owned() } else { beginning.join(" ") };
    PictureError::Unknown { n: bytes.len(), beginning }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../tests/golden/pictures.json")).unwrap()
    }

    fn bytes(case: &Value) -> Vec<u8> {
        let hex = case["bytes"].as_str().unwrap();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn picture(case: &Value, channels_last: bool) -> Picture {
        let of = |key: &str| case[key].as_u64().unwrap() as usize;
        Picture { height: of("height"), width: of("width"), channels: of("channels"), channels_last }
    }

    fn read(bytes: &[u8], picture: Picture) -> Result<Vec<f32>, PictureError> {
        let mut numbers = vec![0.0; picture.n_numbers()];
        write(bytes, &picture, |_, value| value, &mut numbers).map(|()| numbers)
    }

    fn case(name: &str) -> Value {
        golden()["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone()
    }

    #[test]
    fn every_kind_of_file_has_the_numbers_that_pillow_reads() {
        let golden = golden();
        for case in golden["cases"].as_array().unwrap() {
            let expected: Vec<f64> = case["numbers"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
            let found =
                read(&bytes(case), picture(case, true)).unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
            let allowed = case["tolerance"].as_f64().unwrap() + 1e-4;
            let largest = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(largest <= allowed, "{}: {largest}", case["name"]);
            assert_eq!(found.len(), expected.len());
        }
    }

    #[test]
    fn planes_hold_the_same_numbers_as_pixels() {
        let case = case("rgb");
        let (pixels, planes) = (picture(&case, true), picture(&case, false));
        let (together, apart) = (read(&bytes(&case), pixels).unwrap(), read(&bytes(&case), planes).unwrap());
        for pixel in 0..pixels.n_pixels() {
            for channel in 0..3 {
                assert_eq!(together[pixels.number(pixel, channel)], apart[planes.number(pixel, channel)]);
            }
        }
    }

    #[test]
    fn another_size_or_other_channels_are_refused_with_what_was_found() {
        let case = case("rgb");
        let wanted = picture(&case, true);
        let larger = read(&bytes(&case), Picture { height: 7, ..wanted }).unwrap_err().to_string();
        assert!(larger.contains("6 × 5") && larger.contains("7 × 5"), "{larger}");
        let grey = read(&bytes(&case), Picture { channels: 1, ..wanted }).unwrap_err().to_string();
        assert!(grey.contains("3 channels (RGB), the model takes 1 channel"), "{grey}");
    }

    #[test]
    fn a_header_that_promises_more_than_memory_unpacks_nothing() {
        let mut huge = bytes(&case("rgb"));
        huge[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        let sum = crc32fast::hash(&huge[12..29]);
        huge[29..33].copy_from_slice(&sum.to_be_bytes());
        let error = read(&huge, picture(&case("rgb"), true)).unwrap_err();
        assert!(matches!(error, PictureError::Size { .. }), "{error}");
    }

    #[test]
    fn no_damage_to_a_file_does_more_than_refuse_it() {
        for name in ["rgb", "palette", "interlaced", "jpeg", "jpeg, progressive", "jpeg, grey"] {
            let case = case(name);
            let (whole, wanted) = (bytes(&case), picture(&case, true));
            for at in 0..whole.len() {
                assert!(read(&whole[..at], wanted).is_err(), "{name} cut at {at}");
                let mut changed = whole.clone();
                changed[at] ^= 0x55;
                // Some bytes do not matter; none may break anything but its own file.
                let _ = read(&changed, wanted);
            }
        }
    }
}
