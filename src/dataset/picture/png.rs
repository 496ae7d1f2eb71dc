//! PNG bytes → samples (Portable Network Graphics, third edition: all colour types, depths and both interlacings).
//!
//! Written here, strictly: the size is checked before anything is unpacked, no more is unpacked than the header's size
//! asks for, and only the chunks that pixels depend on are looked at. Texts, profiles and animations are passed over.

use super::Picture;
use super::raster::{PictureError, Raster, check_size};
use super::scanlines::{Layout, unpack};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// What PNG files begin with.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What pixels depend on.
struct Parts<'a> {
    header: Header,
    palette: &'a [u8],
    /// The `tRNS` chunk: alphas of the palette, or the one colour that is transparent.
    transparency: Option<&'a [u8]>,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Header {
    width: usize,
    height: usize,
    layout: Layout,
    has_palette: bool,
}

/// Decodes the picture of a file of the size that `wanted` has.
pub fn decode(bytes: &[u8], wanted: &Picture) -> Result<Raster, PictureError> {
    let parts = parts(bytes, wanted).map_err(|stop| match stop {
        Stop::Broken(reason) => broken(reason),
        Stop::Refused(error) => error,
    })?;
    let (header, layout) = (parts.header, parts.header.layout);
    let size = layout.packed_size(header.width, header.height);
    let packed = decompress_to_vec_zlib_with_limit(&parts.data, size)
        .map_err(|error| broken(format!("its pixels cannot be unpacked: {:?}", error.status)))?;
    let samples = unpack(packed, layout, header.width, header.height).map_err(broken)?;
    match header.has_palette {
        true => coloured(&samples, parts.palette, parts.transparency),
        false => Ok(plain(&samples, layout, parts.transparency)),
    }
}

fn broken(reason: impl Into<String>) -> PictureError {
    PictureError::Broken { format: "PNG", reason: reason.into() }
}

enum Stop {
    Broken(&'static str),
    Refused(PictureError),
}

/// Walks the chunks up to the last one.
fn parts<'a>(bytes: &'a [u8], wanted: &Picture) -> Result<Parts<'a>, Stop> {
    let mut rest = &bytes[SIGNATURE.len()..];
    let (kind, content) = chunk(&mut rest)?;
    if kind != b"IHDR" {
        return Err(Stop::Broken("it does not begin with a header"));
    }
    let header = Header::read(content).map_err(Stop::Broken)?;
    check_size(wanted, header.height, header.width).map_err(Stop::Refused)?;
    let mut parts = Parts { header, palette: &[], transparency: None, data: Vec::new() };
    loop {
        let (kind, content) = chunk(&mut rest)?;
        match kind {
            b"PLTE" => parts.palette = content,
            b"tRNS" => parts.transparency = Some(content),
            b"IDAT" => parts.data.extend_from_slice(content),
            b"IEND" => return Ok(parts),
            [first, ..] if first.is_ascii_lowercase() => {}
            _ => return Err(Stop::Broken("it has a chunk that nobody knows and that must be known")),
        }
    }
}

/// The next chunk's kind and content; what pixels depend on is held against its checksum.
fn chunk<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8; 4], &'a [u8]), Stop> {
    let short = || Stop::Broken("it ends too early");
    let (length, after) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (kind, after_kind) = after.split_first_chunk::<4>().ok_or_else(short)?;
    let content = after_kind.get(..length).ok_or_else(short)?;
    let (sum, next) = after_kind[length..].split_first_chunk::<4>().ok_or_else(short)?;
    let matters = kind[0].is_ascii_uppercase() || kind == b"tRNS";
    if matters && crc32fast::hash(&after[..4 + length]) != u32::from_be_bytes(*sum) {
        return Err(Stop::Broken("a checksum is wrong"));
    }
    *rest = next;
    Ok((kind, content))
}

impl Header {
    fn read(content: &[u8]) -> Result<Self, &'static str> {
        let content: &[u8; 13] = content.try_into().map_err(|_| "its header has a wrong length")?;
        let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| content[at + byte])) as usize;
        let [depth, colour, compression, filter, interlace] = [8, 9, 10, 11, 12].map(|at| content[at]);
        let (channels, depths): (usize, &[u8]) = match colour {
            0 => (1, &[1, 2, 4, 8, 16]),
            2 => (3, &[8, 16]),
            3 => (1, &[1, 2, 4, 8]),
            4 => (2, &[8, 16]),
            6 => (4, &[8, 16]),
            _ => return Err("it has an unknown kind of colours"),
        };
        if !depths.contains(&depth) || compression != 0 || filter != 0 || interlace > 1 {
            return Err("its header asks for what there is not");
        }
        let layout = Layout { channels, depth: usize::from(depth), is_interlaced: interlace == 1 };
        Ok(Self { width: number(0), height: number(4), layout, has_palette: colour == 3 })
    }
}

/// Colours of a palette's indices.
fn coloured(indices: &[u16], palette: &[u8], alphas: Option<&[u8]>) -> Result<Raster, PictureError> {
    let channels = if alphas.is_some() { 4 } else { 3 };
    let mut bytes = Vec::with_capacity(indices.len() * channels);
    for index in indices {
        let at = usize::from(*index);
        let colour =
            palette.get(3 * at..3 * at + 3).ok_or_else(|| broken("it uses a colour that its palette lacks"))?;
        bytes.extend_from_slice(colour);
        bytes.extend(alphas.map(|alphas| alphas.get(at).copied().unwrap_or(255)));
    }
    Ok(Raster { channels, has_alpha: alphas.is_some(), from_palette: true, is_deep: false, bytes })
}

/// Samples of at least eight bits; where one colour is transparent, with an alpha channel.
fn plain(samples: &[u16], layout: Layout, transparent: Option<&[u8]>) -> Raster {
    let has_own_alpha = layout.channels.is_multiple_of(2);
    let clear = transparent.filter(|clear| !has_own_alpha && clear.len() == 2 * layout.channels);
    let clear: Option<Vec<u16>> =
        clear.map(|clear| clear.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect());
    let is_deep = layout.depth == 16;
    let largest = (1_u32 << layout.depth) - 1;
    let mut bytes = Vec::with_capacity(2 * samples.len());
    let mut push = |sample: u16| match is_deep {
        true => bytes.extend(sample.to_be_bytes()),
        false => bytes.push((u32::from(sample) * 255 / largest) as u8),
    };
    for pixel in samples.chunks_exact(layout.channels) {
        pixel.iter().for_each(|sample| push(*sample));
        if let Some(clear) = &clear {
            push(if pixel == clear { 0 } else { largest as u16 });
        }
    }
    let channels = layout.channels + usize::from(clear.is_some());
    Raster { channels, has_alpha: has_own_alpha || clear.is_some(), from_palette: false, is_deep, bytes }
}
