//! Writes that become durable together: decided one after the other against the rows as they will be, written at once.

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::hash_map::HashMap;

use bytes::Bytes;
use fjall::PersistMode;
use playhead_domain::store::{Error, Mutation, Swap};
use playhead_domain::table::Table;

use super::files::{Due, Files};
use super::grave::{Grave, GraveKey};
use super::row::StoredRow;
use super::writer::Condition;
use super::{key, read_error};

/// A group under way. Dropping it forgets it.
pub(super) struct Group<'a> {
    files: &'a Files,
    rows: HashMap<&'static str, TableRows>,
    graves: HashMap<GraveKey, Change<Grave>>,
    /// Expiry entries that turned out to be about nothing.
    stale_due: Vec<Vec<u8>>,
}

struct TableRows {
    table: &'static Table,
    changes: BTreeMap<Vec<u8>, Change<StoredRow>>,
}

/// What is in the database, and what will be.
struct Change<T> {
    before: Option<T>,
    after: Option<T>,
}

impl<T: Clone> Change<T> {
    fn unchanged(before: Option<T>) -> Self {
        Self { after: before.clone(), before }
    }
}

/// About how many bytes a mutation takes.
pub(super) fn cost(mutation: &Mutation) -> usize {
    const KEY_BYTES: usize = 128;
    match mutation {
        Mutation::Put { value, .. } => KEY_BYTES + value.len(),
        Mutation::Delete { .. } | Mutation::DeletePartition { .. } => KEY_BYTES,
    }
}

impl<'a> Group<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files, rows: HashMap::new(), graves: HashMap::new(), stale_due: Vec::new() }
    }

    pub(super) fn apply(&mut self, mutation: &Mutation) -> Result<(), Error> {
        match mutation {
            Mutation::Put { table, key, value, version, expires_at_ms } => {
                let new =
                    StoredRow { version: *version, value: value.clone(), expires_at_ms: *expires_at_ms };
                self.put(table, key::encode(key), key::encode_values(&key.partition), new)
            }
            Mutation::Delete { table, key, version } => self.delete(table, key::encode(key), *version),
            Mutation::DeletePartition { table, partition, version } => {
                self.delete_partition(table, &key::encode_values(partition), *version)
            }
        }
    }

    fn put(
        &mut self,
        table: &'static Table,
        key: Vec<u8>,
        partition: Vec<u8>,
        new: StoredRow,
    ) -> Result<(), Error> {
        let salt = &self.files.salt;
        let graves = [GraveKey::of_row(salt, table, &key), GraveKey::of_partition(salt, table, &partition)];
        for grave in graves {
            if self.grave(grave)?.after.is_some_and(|grave| grave.version >= new.version) {
                return Ok(());
            }
        }
        let row = self.row(table, key)?;
        if row.after.as_ref().is_none_or(|current| *current < new) {
            row.after = Some(new);
        }
        Ok(())
    }

    fn delete(&mut self, table: &'static Table, key: Vec<u8>, version: i64) -> Result<(), Error> {
        self.bury(GraveKey::of_row(&self.files.salt, table, &key), version)?;
        self.row(table, key)?.after.take_if(|row| row.version <= version);
        Ok(())
    }

    fn delete_partition(
        &mut self,
        table: &'static Table,
        partition: &[u8],
        version: i64,
    ) -> Result<(), Error> {
        self.bury(GraveKey::of_partition(&self.files.salt, table, partition), version)?;
        for entry in self.files.table(table)?.prefix(partition) {
            let key = entry.key().map_err(|error| read_error(&error))?;
            self.row(table, key.to_vec())?;
        }
        let Some(rows) = self.rows.get_mut(table.name) else { return Ok(()) };
        let in_partition = rows.changes.range_mut(partition.to_vec()..);
        for (_, row) in in_partition.take_while(|(key, _)| key.starts_with(partition)) {
            row.after.take_if(|row| row.version <= version);
        }
        Ok(())
    }

    pub(super) fn swap(&mut self, condition: &Condition) -> Result<Swap, Error> {
        let now_ms = self.files.clock.now_ms();
        let row = self.row(condition.table, condition.key.clone())?;
        let current = row.after.as_ref().filter(|row| row.is_visible(now_ms));
        if current.map(|row| &row.value) != condition.expected.as_ref() {
            return Ok(Swap::Conflict(current.map(|row| row.value.clone())));
        }
        let version = row.after.as_ref().map_or(1, |row| row.version.saturating_add(1));
        let expires_at_ms = condition.expires_at_ms;
        row.after = condition.new.clone().map(|value| StoredRow { version, value, expires_at_ms });
        Ok(Swap::Applied)
    }

    /// Removes what ended by `now_ms`, as listed. Returns the bytes removed.
    pub(super) fn sweep(&mut self, listed: &[(Vec<u8>, Due)], now_ms: i64) -> Result<u64, Error> {
        let mut removed_bytes = 0;
        for (entry, due) in listed {
            let removed = match due {
                Due::Row(table, key) => {
                    let row = self.row(table, key.clone())?.after.take_if(|row| !row.is_visible(now_ms));
                    row.map(|row| row.value.len() + key.len())
                }
                Due::Retired => None,
                Due::Grave(key) => {
                    let grave = self.grave(*key)?.after.take_if(|grave| grave.until_ms <= now_ms);
                    grave.map(|_| key.0.len())
                }
            };
            match removed {
                Some(bytes) => removed_bytes += bytes as u64,
                None => self.stale_due.push(entry.clone()),
            }
        }
        Ok(removed_bytes)
    }

    fn bury(&mut self, key: GraveKey, version: i64) -> Result<(), Error> {
        let until_ms = self.files.clock.now_ms().saturating_add(self.files.config.delete_grace_ms);
        let grave = self.grave(key)?;
        let version = grave.after.map_or(version, |grave| grave.version.max(version));
        grave.after = Some(Grave { version, until_ms });
        Ok(())
    }

    fn row(&mut self, table: &'static Table, key: Vec<u8>) -> Result<&mut Change<StoredRow>, Error> {
        let rows =
            self.rows.entry(table.name).or_insert_with(|| TableRows { table, changes: BTreeMap::new() });
        match rows.changes.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let stored =
                    self.files.table(table)?.get(vacant.key()).map_err(|error| read_error(&error))?;
                let before = stored.map(|stored| StoredRow::decode(table, stored.into())).transpose()?;
                Ok(vacant.insert(Change::unchanged(before)))
            }
        }
    }

    fn grave(&mut self, key: GraveKey) -> Result<&mut Change<Grave>, Error> {
        use std::collections::hash_map::Entry;
        match self.graves.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let stored = self.files.graves.get(key.0).map_err(|error| read_error(&error))?;
                let before = stored.map(|stored| Grave::decode(&stored)).transpose()?;
                Ok(vacant.insert(Change::unchanged(before)))
            }
        }
    }

    /// Writes all changes as one, durably.
    pub(super) fn commit(self) -> Result<(), fjall::Error> {
        let files = self.files;
        let mut batch = files.engine.database.batch().durability(Some(PersistMode::SyncData));
        let mut touched = HashSet::new();
        for entry in self.stale_due {
            batch.remove(&files.due, entry);
        }
        for rows in self.rows.into_values() {
            let Ok(keyspace) = files.table(rows.table) else { continue };
            for (key, change) in rows.changes {
                if change.before == change.after {
                    continue;
                }
                let due = |row: &Option<StoredRow>| row.as_ref().and_then(|row| row.expires_at_ms);
                let (due_before, due_after) = (due(&change.before), due(&change.after));
                if due_before != due_after {
                    let entry = |due_ms| Files::row_due_key(due_ms, rows.table, &key);
                    due_before.into_iter().for_each(|due_ms| batch.remove(&files.due, entry(due_ms)));
                    due_after
                        .into_iter()
                        .for_each(|due_ms| batch.insert(&files.due, entry(due_ms), Bytes::new()));
                }
                if change.before.is_some() {
                    touched.insert(rows.table.name);
                }
                match change.after {
                    Some(row) => batch.insert(keyspace, key, row.encode()),
                    None => batch.remove(keyspace, key),
                }
            }
        }
        for (key, change) in self.graves {
            if change.before == change.after {
                continue;
            }
            let entry = |grave: Grave| Files::grave_due_key(grave.until_ms, key);
            change.before.into_iter().for_each(|grave| batch.remove(&files.due, entry(grave)));
            match change.after {
                Some(grave) => {
                    batch.insert(&files.due, entry(grave), Bytes::new());
                    batch.insert(&files.graves, key.0, grave.encode());
                }
                None => batch.remove(&files.graves, key.0),
            }
        }
        batch.commit()?;
        // Not before: a rewrite that began meanwhile would not have seen it.
        files.unclean.lock().extend(touched);
        Ok(())
    }
}
