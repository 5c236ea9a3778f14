use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// A program that relays are started from. The file is held open: replacing what is at its path changes nothing.
#[derive(Clone)]
pub(crate) struct Program {
    path: PathBuf,
    file: Arc<File>,
}

impl Program {
    /// The one that runs here.
    pub(crate) fn own() -> Result<Self, String> {
        let path = std::env::current_exe().map_err(|error| format!("the own program: {error}"))?;
        let file = File::open("/proc/self/exe").map_err(|error| format!("the own program: {error}"))?;
        Ok(Self { path, file: Arc::new(file) })
    }

    pub(crate) fn at(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), file: Arc::new(file) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts it as a relay.
    pub(crate) fn start(&self, manifest: i32, link: Stdio) -> std::io::Result<Child> {
        // Looked up by the child, which still has the file then.
        Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
            .arg0("trunkline-media")
            .args(["relay", "--manifest", &manifest.to_string()])
            .stdin(link)
            .stdout(Stdio::null())
            .spawn()
    }
}
