//! The disk beside the frames: a thread that fetches and keeps textures.
//!
//! In: names to look for, textures to keep. Out: what was found, with its pictures made; that something is not there; what is
//! wrong with the folder. Dropping it waits for what it is doing.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use super::{
    disk::{DiskCache, write_whole},
    made::Made,
    maps::Texture,
    name::TextureName,
};

/// Where textures are kept, and how many bytes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSettings {
    pub folder: PathBuf,
    pub budget: u64,
}

enum Errand {
    Fetch(TextureName, bool),
    Keep(TextureName, Box<Texture>),
}

/// What the thread tells.
pub(super) enum News {
    Found(TextureName, Box<Made>),
    NotThere(TextureName),
    Trouble(String),
}

/// The thread.
pub(super) struct Shelf {
    errands: Option<Sender<Errand>>,
    news: Mutex<Receiver<News>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Shelf {
    /// `None` if there can be no thread.
    pub fn open(settings: DiskSettings) -> Option<Self> {
        let (errands, inbox) = channel();
        let (outbox, news) = channel();
        let serve = move || {
            let mut cache = DiskCache::open(&settings.folder, settings.budget);
            let mut told = false;
            let mut tell_trouble = |cache: &DiskCache| {
                if let (false, Some(trouble)) = (told, cache.trouble()) {
                    told = true;
                    let _ = outbox.send(News::Trouble(trouble.to_owned()));
                }
            };
            tell_trouble(&cache);
            for errand in inbox {
                match errand {
                    Errand::Fetch(name, swatch) => {
                        let found = cache.fetch(&name).map(|texture| Box::new(Made::of(texture, swatch)));
                        let news = match found {
                            Some(made) => News::Found(name, made),
                            None => News::NotThere(name),
                        };
                        // Nobody listens any more when the program ends.
                        let _ = outbox.send(news);
                    }
                    Errand::Keep(name, texture) => {
                        cache.keep(&name, &texture, write_whole);
                        tell_trouble(&cache);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("textures on disk".to_owned()).spawn(serve).ok()?;
        Some(Self { errands: Some(errands), news: Mutex::new(news), thread: Some(thread) })
    }

    fn send(&self, errand: Errand) {
        if let Some(errands) = &self.errands {
            // A thread that has ended fetches nothing: its caller goes on without the disk.
            let _ = errands.send(errand);
        }
    }

    /// Looks for a texture, and draws its swatch if asked; the answer comes among the news.
    pub fn fetch(&self, name: TextureName, swatch: bool) {
        self.send(Errand::Fetch(name, swatch));
    }

    pub fn keep(&self, name: TextureName, texture: Texture) {
        self.send(Errand::Keep(name, Box::new(texture)));
    }

    /// What happened since the last call.
    pub fn news(&self) -> Vec<News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).try_iter().collect()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.errands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            bevy::log::error!("the thread of textures on disk panicked");
        }
    }
}
