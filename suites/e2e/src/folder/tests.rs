//! A folder is its owner's alone, and gone with everything in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Folder;

#[test]
fn only_the_owner_reads_it_and_nothing_stays() {
    let folder = Folder::make().expect("there is a place for temporary files");
    let file = folder.write("kubeconfig", "token: secret").expect("it is written");
    let place = file.parent().expect("it is in the folder").to_path_buf();
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&file)), (0o700, 0o600));
    assert_eq!(fs::read_to_string(&file).expect("it is read"), "token: secret");
    folder.write("kubeconfig", "").expect_err("a file is written once");
    drop(folder);
    assert!(!place.exists());
}
