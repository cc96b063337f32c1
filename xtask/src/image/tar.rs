//! The little of the tar format that an image needs: regular files of root, without dates, so that one content is one archive. Used by
//! [`super::archive`].

use anyhow::{Context, Result, bail};

/// The mode of a file that is only read.
pub(super) const FILE: u32 = 0o644;
/// The mode of a program.
pub(super) const PROGRAM: u32 = 0o755;
/// Everything is in blocks of so many bytes.
const BLOCK: usize = 512;

/// A tar of files: name, mode, content.
///
/// # Errors
/// When a name or a content is too long for the format's plain header.
pub(super) fn of(files: &[(&str, u32, &[u8])]) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    for (name, mode, content) in files {
        archive.extend_from_slice(&header(name, *mode, content.len())?);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks are the end.
    archive.resize(archive.len() + 2 * BLOCK, 0);
    Ok(archive)
}

fn header(name: &str, mode: u32, size: usize) -> Result<[u8; BLOCK]> {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, room: usize, text: &str| -> Result<()> {
        if text.len() > room {
            bail!("put {text:?} into {room} bytes of a tar's header");
        }
        let field = header
            .get_mut(at..at + text.len())
            .context("a field of a tar's header")?;
        field.copy_from_slice(text.as_bytes());
        Ok(())
    };
    put(0, 100, name)?;
    put(100, 7, &format!("{mode:07o}"))?;
    put(108, 7, "0000000")?;
    put(116, 7, "0000000")?;
    put(124, 11, &format!("{size:011o}"))?;
    put(136, 11, "00000000000")?;
    // The sum is computed over blanks in its own place.
    put(148, 8, "        ")?;
    put(156, 1, "0")?;
    put(257, 6, "ustar\0")?;
    put(263, 2, "00")?;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    if let Some(field) = header.get_mut(148..156) {
        field.copy_from_slice(text.as_bytes());
    }
    Ok(header)
}
