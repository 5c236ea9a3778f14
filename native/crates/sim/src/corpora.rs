use std::path::PathBuf;

/// A file or folder of the test corpora: below `TRUNKLINE_CORPORA`, or `shared/corpora` beside the repository.
///
/// `None`: they are not there, and a line says so.
///
/// # Panics
/// If they are not there although `CI` is `true`.
#[must_use]
pub fn corpora(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRUNKLINE_CORPORA").map(PathBuf::from);
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/corpora");
    let found = folder.unwrap_or_else(|| beside.into()).join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{} is missing", found.display());
    eprintln!("skipped: no corpora");
    None
}

/// The content of every file in these folders of the corpora, in the order of their names; nothing where there are none.
#[must_use]
pub fn seeds(folders: &[&str]) -> Vec<Vec<u8>> {
    let folders = folders.iter().filter_map(|folder| corpora(folder));
    let files = folders.flat_map(|folder| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    });
    files.filter_map(|file| std::fs::read(file).ok()).collect()
}
