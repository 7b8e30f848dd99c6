//! Compiled code on disk: used when it can be trusted, made again when it cannot.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use sluicegate::{Cache, Limits, Origin, Policy};

use crate::written::{Written, ask};

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cache-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn start(folder: &Path) -> Origin {
    let cache = Cache::folder(folder);
    let policy = Policy::load_with(Written::default().component(), Limits::default(), &cache).unwrap();
    assert!(matches!(ask(&policy), Err(sluicegate::CheckError::Unjudgeable(_))));
    policy.origin()
}

/// The only entry.
fn entry(folder: &Path) -> PathBuf {
    let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.into_iter().next().unwrap()
}

#[test]
fn the_second_start_compiles_nothing() {
    let folder = folder("second").join("made").join("on the way");
    assert_eq!(start(&folder), Origin::Compiled);
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(entry(&folder)).unwrap().mode() & 0o777, 0o600);
    assert_eq!(start(&folder), Origin::Cached);
    assert_eq!(start(&folder), Origin::Cached);
}

#[test]
fn another_component_has_another_entry() {
    let folder = folder("another");
    assert_eq!(start(&folder), Origin::Compiled);
    let other = Written { check: "unreachable", ..Written::default() }.component();
    let load = || Policy::load_with(other.clone(), Limits::default(), &Cache::folder(&folder)).unwrap().origin();
    assert_eq!((load(), load(), start(&folder)), (Origin::Compiled, Origin::Cached, Origin::Cached));
}

/// Harms the entry, and sees that it is made again.
#[track_caller]
fn rebuilt_after(name: &str, harm: impl Fn(&Path)) {
    let folder = folder(name);
    assert_eq!(start(&folder), Origin::Compiled);
    harm(&entry(&folder));
    assert_eq!(start(&folder), Origin::Compiled, "the entry was trusted");
    assert_eq!(start(&folder), Origin::Cached, "the entry was not made again");
}

fn rewrite(entry: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(entry).unwrap();
    change(&mut bytes);
    fs::write(entry, bytes).unwrap();
}

#[test]
fn a_flipped_bit_is_noticed() {
    for (name, at) in [("magic", 3), ("key", 25), ("digest", 60), ("code", 5_000)] {
        rebuilt_after(name, |entry| rewrite(entry, |bytes| bytes[at] ^= 1));
    }
    rebuilt_after("last", |entry| rewrite(entry, |bytes| *bytes.last_mut().unwrap() ^= 1));
}

#[test]
fn a_part_is_noticed() {
    for length in [0, 10, 84, 4_000] {
        rebuilt_after(&format!("part-{length}"), |entry| rewrite(entry, |bytes| bytes.truncate(length)));
    }
    rebuilt_after("longer", |entry| rewrite(entry, |bytes| bytes.push(0)));
}

#[test]
fn an_entry_of_somebody_else_is_not_used() {
    rebuilt_after("writable", |entry| fs::set_permissions(entry, Permissions::from_mode(0o666)).unwrap());
    // Only root can give a file away; elsewhere the check of the mode stands for it.
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        rebuilt_after("owner", |entry| chown(entry, Some(12_345), None).unwrap());
    }
}

#[test]
fn code_that_was_never_ours_is_not_used() {
    // A well-formed entry with the right name, but made for another component.
    let (ours, theirs) = (folder("ours"), folder("theirs"));
    start(&ours);
    let other = Written { check: "unreachable", ..Written::default() }.component();
    Policy::load_with(other, Limits::default(), &Cache::folder(&theirs)).unwrap();
    fs::copy(entry(&theirs), entry(&ours)).unwrap();
    assert_eq!(start(&ours), Origin::Compiled);
}

#[test]
fn a_folder_open_to_others_or_not_writable_means_no_cache() {
    let open = folder("open");
    fs::create_dir_all(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o770)).unwrap();
    assert_eq!((start(&open), start(&open)), (Origin::Compiled, Origin::Compiled));
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);

    let link = folder("link");
    fs::create_dir_all(&link).unwrap();
    fs::set_permissions(&link, Permissions::from_mode(0o700)).unwrap();
    let (real, link) = (link.join("real"), link.join("link"));
    assert_eq!(start(&real), Origin::Compiled);
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert_eq!(start(&link), Origin::Compiled, "a link can be turned elsewhere");

    for nowhere in [Path::new("/proc/sluicegate"), Path::new("/dev/null/sluicegate")] {
        assert_eq!((start(nowhere), start(nowhere)), (Origin::Compiled, Origin::Compiled));
    }
}

#[test]
fn old_entries_make_room() {
    let folder = folder("room");
    for n in 0..12 {
        let check = format!("(drop (i32.const {n})) unreachable");
        let other = Written { check: &check, ..Written::default() }.component();
        Policy::load_with(other, Limits::default(), &Cache::folder(&folder)).unwrap();
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 8);
}
