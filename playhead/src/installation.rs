//! The secrets of an installation: made once, kept in the data folder, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use playhead_domain::store::{Key, Store, Swap};
use playhead_domain::table::INSTALLATION;
use playhead_proto::key::InstallationKey;
use secrecy::{ExposeSecret, SecretString};

use crate::config::secret;
use crate::waiting::Unready;

const KEY_FILE: &str = "installation.key";
const TOKEN_FILE: &str = "admin.token";

/// The key from which every other key derives: `PLAYHEAD_INSTALLATION_KEY` (64 hex digits), or the data folder's own.
pub(crate) fn installation_key(data: Option<&Path>) -> anyhow::Result<InstallationKey> {
    let (text, from) = match (secret("PLAYHEAD_INSTALLATION_KEY")?, data) {
        (Some(key), _) => (key, "PLAYHEAD_INSTALLATION_KEY".to_owned()),
        (None, Some(data)) => {
            let path = data.join(KEY_FILE);
            (read_or_create(&path)?, path.display().to_string())
        }
        (None, None) => bail!(
            "set PLAYHEAD_INSTALLATION_KEY to 64 hex digits, the same for every process of this installation \
            (make them once: openssl rand -hex 32)"
        ),
    };
    let key = from_hex(text.expose_secret().trim());
    let key = key
        .with_context(|| format!("{from} is not 64 hex digits; without the right key no recording opens"))?;
    Ok(InstallationKey::new(key))
}

/// Makes sure that the key is the one that the data was written with: with another one nothing that is stored opens, and what
/// comes in would be sealed with a key that no backup of the data has. The store keeps what derives from it, once.
///
/// # Errors
/// When it is another key, or the store does not answer.
pub(crate) async fn check_key(store: &dyn Store, key: &InstallationKey) -> Result<(), Unready> {
    let ours = Bytes::copy_from_slice(&key.derive("playhead key check v1"));
    let row = Key { partition: vec!["key_check".into()], clustering: vec![] };
    match store.compare_and_set(&INSTALLATION, &row, None, Some(ours.clone()), None).await {
        Ok(Swap::Conflict(Some(stored))) if stored != ours => Err(Unready::Never(anyhow!(
            "the installation key is not the one that this data was written with: restore {KEY_FILE} in the data folder \
            (or PLAYHEAD_INSTALLATION_KEY) from a backup"
        ))),
        Ok(Swap::Applied | Swap::Conflict(_)) => Ok(()),
        Err(error) if error.is_retryable() => Err(Unready::Later(error.to_string())),
        Err(error) => Err(Unready::Never(error.into())),
    }
}

/// The administrator's bearer token: `PLAYHEAD_ADMIN_TOKEN`, or the data folder's own.
pub(crate) fn admin_token(data: Option<&Path>) -> anyhow::Result<SecretString> {
    if let Some(token) = secret("PLAYHEAD_ADMIN_TOKEN")? {
        return Ok(token);
    }
    let Some(data) = data else {
        bail!(
            "set PLAYHEAD_ADMIN_TOKEN, the same for every query-api of this installation (openssl rand -hex 32)"
        );
    };
    let token = read_or_create(&data.join(TOKEN_FILE))?;
    Ok(token.expose_secret().trim().to_owned().into())
}

/// The token that `playhead up` made in its data folder.
///
/// # Errors
/// There is none, or it cannot be read.
pub(crate) fn stored_admin_token(data: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(data.join(TOKEN_FILE))?.trim().to_owned())
}

/// The text of a file; 32 random bytes in hex when there is none yet.
fn read_or_create(path: &Path) -> anyhow::Result<SecretString> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => bail!("{} is empty; restore it from a backup", path.display()),
        Ok(text) => Ok(text.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(path).with_context(|| format!("{} cannot be written", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Written beside and renamed, so that a crash leaves either no secret or a whole one; durable before it is used.
fn create(path: &Path) -> anyhow::Result<SecretString> {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random)?;
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(text.into())
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = installation_key(Some(folder.path())).unwrap().derive("test");
        assert_eq!(installation_key(Some(folder.path())).unwrap().derive("test"), first);
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn data_opens_with_its_own_key_only() {
        let store =
            playhead_backends::store::memory::MemoryStore::new(playhead_backends::clock::Clock::system());
        let key = |byte| InstallationKey::new([byte; 32]);
        for _ in 0..2 {
            assert!(check_key(&store, &key(1)).await.is_ok());
        }
        let Err(Unready::Never(error)) = check_key(&store, &key(2)).await else {
            panic!("another key was taken")
        };
        assert!(error.to_string().contains("installation.key"), "{error}");
        assert!(check_key(&store, &key(1)).await.is_ok());
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(KEY_FILE), "abc").unwrap();
        let error = installation_key(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("installation.key"), "{error}");
        assert_eq!(std::fs::read_to_string(folder.path().join(KEY_FILE)).unwrap(), "abc");
    }
}
