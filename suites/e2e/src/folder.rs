//! A folder of this run's own, for what must not outlive it: readable by its owner only, removed with everything in it. Used by `up` and by the
//! recorded session.

#[cfg(test)]
mod tests;

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Exists until it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Makes one in the system's place for temporary files.
    ///
    /// # Errors
    /// When that place cannot be written to.
    pub(crate) fn make() -> Result<Self> {
        let place = std::env::temp_dir();
        tempfile::Builder::new()
            .prefix("tidegate-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&place)
            .map(Self)
            .with_context(|| {
                format!(
                    "make a folder for the kubeconfig in {}; set TMPDIR to a folder that you may write to",
                    place.display()
                )
            })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Writes a new file that only its owner may read, and says where it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("make {}", path.display()))?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}
