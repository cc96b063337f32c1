//! A folder of this run's own, for what must not outlive it: readable by its owner only, removed with everything in it. Used by `up` and by the
//! recorded session.

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result};
use env::Env;

/// Exists until it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one in the system's place for temporary files.
    ///
    /// # Errors
    /// When that place cannot be written to.
    pub(crate) fn make() -> Result<Self> {
        let place = std::env::temp_dir();
        let path = place.join(format!("tidegate-{}", Env::real().chance("folder").name_suffix(10)));
        DirBuilder::new().mode(0o700).create(&path).with_context(|| {
            format!(
                "make a folder for the kubeconfig in {}; set TMPDIR to a folder that you may write to",
                place.display()
            )
        })?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// Writes a new file that only its owner may read, and says where it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
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

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "cannot be removed");
        }
    }
}
