use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket on which gateways are served; its path is removed when this is dropped, if it still is ours.
pub(crate) struct ControlSocket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl ControlSocket {
    /// Only this user may connect. What a keeper that died left at the path is replaced.
    ///
    /// # Errors
    /// Another keeper is there, or the path cannot be used.
    pub(crate) fn bind(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("control socket {}: {error}", path.display());
        if UnixStream::connect(path).is_ok() {
            return Err(format!("another keeper serves {}", path.display()));
        }
        // Bound elsewhere and moved: nobody can connect before the permissions are set.
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{}", std::process::id()));
        let aside = PathBuf::from(aside);
        let _ = fs::remove_file(&aside);
        let listener = UnixListener::bind(&aside).map_err(failed)?;
        let placed = fs::set_permissions(&aside, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&aside, path))
            .and_then(|()| fs::metadata(path));
        match placed {
            Ok(metadata) => Ok(Self { listener, path: path.to_owned(), inode: metadata.ino() }),
            Err(error) => {
                let _ = fs::remove_file(&aside);
                Err(failed(error))
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if fs::metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_keeper_and_what_a_dead_one_left_is_replaced() {
        let path = std::env::temp_dir().join(format!("trunkline-control-{}.sock", std::process::id()));
        drop(UnixListener::bind(&path).unwrap());
        let first = ControlSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(ControlSocket::bind(&path).is_err());
        UnixStream::connect(&path).unwrap();
        drop(first);
        assert!(!path.exists());
    }
}
