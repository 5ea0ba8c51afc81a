//! Textures on disk: a folder of entries, one file each, bounded in bytes. Nothing in it is needed: what is wrong with an
//! entry removes it, and what is wrong with the folder stops writing and is told once.
//!
//! An entry is [`MAGIC`], the name, the hash of the texture and the texture, so that neither a broken file nor another
//! texture is ever taken for the one that was asked for. What is absent: threads ([`super::shelf`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use super::{maps::Texture, name::TextureName};

/// First bytes of an entry; the digit counts the forms of entries.
const MAGIC: &[u8] = b"umwelt texture 1\n";
const ENDING: &str = "texture";
/// Larger files are no entries, bytes.
const MAX_ENTRY: u64 = 1 << 28;

/// A folder of textures.
#[derive(Debug)]
pub struct DiskCache {
    folder: PathBuf,
    /// All entries together may be so large, bytes.
    budget: u64,
    /// Why nothing is written any more.
    closed: Option<String>,
}

/// How bytes get into a file; replaced where a full disk is to be tried.
pub type WriteFile = fn(&Path, &[u8]) -> io::Result<()>;

/// Whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

impl DiskCache {
    /// Makes the folder if need be.
    pub fn open(folder: &Path, budget: u64) -> Self {
        let closed = fs::create_dir_all(folder).err().map(|error| trouble(folder, &error));
        Self { folder: folder.to_owned(), budget, closed }
    }

    /// Why nothing is written, if that is so.
    pub fn trouble(&self) -> Option<&str> {
        self.closed.as_deref()
    }

    /// The texture of this name; `None` if it is not there. A broken entry is removed.
    pub fn fetch(&self, name: &TextureName) -> Option<Texture> {
        let path = self.path(name);
        let length = fs::metadata(&path).ok()?.len();
        let texture =
            (length <= MAX_ENTRY).then(|| fs::read(&path).ok()).flatten().and_then(|bytes| unpack(&bytes, name));
        if texture.is_none() {
            bevy::log::warn!("{} is broken and is dreamt anew", path.display());
            // If it cannot be removed it is found broken again.
            let _ = fs::remove_file(&path);
        }
        texture
    }

    /// Keeps a texture. The oldest entries go where the budget is exceeded; after a failure nothing more is written.
    pub fn keep(&mut self, name: &TextureName, texture: &Texture, write: WriteFile) {
        if self.closed.is_some() {
            return;
        }
        let bytes = pack(name, texture);
        if bytes.len() as u64 > self.budget {
            return;
        }
        self.make_room(bytes.len() as u64);
        if let Err(error) = write(&self.path(name), &bytes) {
            let told = trouble(&self.folder, &error);
            bevy::log::warn!("{told}");
            self.closed = Some(told);
        }
    }

    fn make_room(&self, bytes: u64) {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == ENDING))
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        entries.sort();
        let mut sum: u64 = entries.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in entries {
            if sum + bytes <= self.budget {
                return;
            }
            if fs::remove_file(&path).is_ok() {
                sum -= length;
            }
        }
    }

    fn path(&self, name: &TextureName) -> PathBuf {
        self.folder.join(format!("{}.{ENDING}", &name.hash()[..32]))
    }
}

fn trouble(folder: &Path, error: &io::Error) -> String {
    format!("dreams are not kept on disk: {}: {error}", folder.display())
}

fn pack(name: &TextureName, texture: &Texture) -> Vec<u8> {
    let texture = texture.to_bytes();
    let mut bytes = MAGIC.to_vec();
    bytes.extend(format!("{name}\n").as_bytes());
    bytes.extend(Sha256::digest(&texture));
    bytes.extend(texture);
    bytes
}

fn unpack(bytes: &[u8], name: &TextureName) -> Option<Texture> {
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(format!("{name}\n").as_bytes())?;
    let (hash, texture) = rest.split_at_checked(32)?;
    (Sha256::digest(texture)[..] == *hash).then(|| Texture::from_bytes(texture)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Seed,
        scene::{Mixture, Variation},
        textures::maps::tests::wavy,
    };

    fn name(seed: u64) -> TextureName {
        TextureName {
            model: "m".into(),
            mixture: Mixture::pure("moss"),
            variation: Variation::of(Seed(seed)),
            size: 32,
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_is_kept_comes_back_by_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = DiskCache::open(&folder.path().join("deep/er"), 1 << 20);
        assert_eq!(cache.fetch(&name(1)), None);
        cache.keep(&name(1), &wavy(32), write_whole);
        assert_eq!(cache.fetch(&name(1)), Some(wavy(32)));
        assert_eq!(cache.fetch(&name(2)), None);
        assert_eq!(cache.trouble(), None);
    }

    #[test]
    fn broken_entries_are_found_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = DiskCache::open(folder.path(), 1 << 20);
        cache.keep(&name(1), &wavy(32), write_whole);
        let path = files(folder.path()).remove(0);
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        // One bit, half a file, nothing, garbage, and a good entry under another's name.
        for broken in [flipped, good[..good.len() / 2].to_vec(), Vec::new(), vec![7; 5000], pack(&name(2), &wavy(32))] {
            fs::write(&path, &broken).unwrap();
            assert_eq!(cache.fetch(&name(1)), None);
            assert!(!path.exists());
        }
        cache.keep(&name(1), &wavy(32), write_whole);
        assert_eq!(cache.fetch(&name(1)), Some(wavy(32)));
    }

    #[test]
    fn the_oldest_go_when_the_budget_is_used_up() {
        let folder = tempfile::tempdir().unwrap();
        let entry = pack(&name(1), &wavy(32)).len() as u64;
        let mut cache = DiskCache::open(folder.path(), 2 * entry + 100);
        fs::write(folder.path().join("somebody's file"), [0; 99_999]).unwrap();
        for seed in 1..=3 {
            cache.keep(&name(seed), &wavy(32), write_whole);
            // Files written at once could have one time stamp.
            let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seed * 1000);
            fs::File::open(cache.path(&name(seed))).unwrap().set_modified(later).unwrap();
        }
        assert_eq!((cache.fetch(&name(1)), cache.fetch(&name(3))), (None, Some(wavy(32))));
        assert!(folder.path().join("somebody's file").exists());
        let mut small = DiskCache::open(folder.path(), 100);
        small.keep(&name(9), &wavy(32), write_whole);
        assert_eq!(small.fetch(&name(9)), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_and_a_full_disk_are_told_and_tried_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "not a folder").unwrap();
        let mut cache = DiskCache::open(&file.join("cache"), 1 << 20);
        assert!(cache.trouble().unwrap().contains("not kept on disk"));
        cache.keep(&name(1), &wavy(32), |_, _| panic!("nothing is written where there is no folder"));
        assert_eq!(cache.fetch(&name(1)), None);

        let mut cache = DiskCache::open(folder.path(), 1 << 20);
        cache.keep(&name(1), &wavy(32), write_whole);
        cache.keep(&name(2), &wavy(32), |_, _| Err(io::Error::from(io::ErrorKind::StorageFull)));
        assert!(cache.trouble().is_some());
        cache.keep(&name(3), &wavy(32), |_, _| panic!("a full disk is not tried again"));
        assert_eq!(cache.fetch(&name(1)), Some(wavy(32)), "what is there is still used");
    }

    #[test]
    fn a_read_only_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut permissions = fs::metadata(folder.path()).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(folder.path(), permissions).unwrap();
        if fs::write(folder.path().join("probe"), "").is_ok() {
            eprintln!("SKIPPED: this user may write into read-only folders");
            return;
        }
        let mut cache = DiskCache::open(folder.path(), 1 << 20);
        cache.keep(&name(1), &wavy(32), write_whole);
        assert!(cache.trouble().is_some());
    }
}
