use trunkline_engine::{LINK_FD, Manifest, Standby, die_of_panics};

/// The relay process: started by the keeper only.
pub(crate) fn serve(arguments: &[String]) -> Result<(), String> {
    let [name, manifest] = arguments else {
        return Err("a relay is started by its keeper".into());
    };
    if name != "--manifest" {
        return Err("a relay is started by its keeper".into());
    }
    die_of_panics();
    trunkline_io::forbid_dumps().map_err(|error| error.to_string())?;
    trunkline_io::raise_file_limit();
    // It was started by the number of a descriptor, which says nothing in a list of processes.
    let _ = std::fs::write("/proc/self/comm", "trunkline-media");
    let inherit = |fd| trunkline_io::inherited(fd).map_err(|error| format!("descriptor {fd}: {error}"));
    let fd = manifest.parse().map_err(|_| "no number of a manifest".to_owned())?;
    let manifest = Manifest::read(&inherit(fd)?).map_err(|error| format!("the manifest: {error}"))?;
    Standby::prepare(manifest, inherit(LINK_FD)?)?.run()?;
    // The threads hold what the next relay is to find: nothing is tidied up.
    std::process::exit(0)
}
