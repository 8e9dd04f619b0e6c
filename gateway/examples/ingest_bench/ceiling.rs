//! The least that any server could do: take the body, append it to a preallocated file, `fdatasync` once per group, answer.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::Server;

/// Long enough that a turn seldom comes round; then it starts over, still without allocation.
const FILE_BYTES: u64 = 1 << 30;
/// The embedded log's bound of one group.
const GROUP_BYTES: usize = 4 << 20;

type Waiting = (Bytes, oneshot::Sender<()>);

pub(crate) async fn serve(folder: &Path) -> Server {
    let file = preallocate(&folder.join("ceiling"));
    let (sender, receiver) = mpsc::channel::<Waiting>(4_096);
    // Ends when the last sender is gone.
    std::thread::spawn(move || write(&file, receiver));
    let router =
        Router::new().route("/v1/batches", post(take)).layer(DefaultBodyLimit::disable()).with_state(sender);
    Server::start(router).await
}

async fn take(State(sender): State<mpsc::Sender<Waiting>>, body: Bytes) -> StatusCode {
    let (done, durable) = oneshot::channel();
    let sent = sender.send((body, done)).await.is_ok();
    if sent && durable.await.is_ok() { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn preallocate(path: &Path) -> File {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).unwrap();
    let zeros = vec![0; 4 << 20];
    for _ in 0..FILE_BYTES / zeros.len() as u64 {
        file.write_all(&zeros).unwrap();
    }
    file.sync_all().unwrap();
    file
}

fn write(file: &File, mut receiver: mpsc::Receiver<Waiting>) {
    let mut at = 0;
    let mut group = Vec::new();
    let mut answers = Vec::new();
    while let Some(first) = receiver.blocking_recv() {
        let mut next = Some(first);
        while let Some((body, done)) = next {
            group.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
            group.extend_from_slice(&body);
            answers.push(done);
            next = if group.len() < GROUP_BYTES { receiver.try_recv().ok() } else { None };
        }
        if at + group.len() as u64 > FILE_BYTES {
            at = 0;
        }
        file.write_all_at(&group, at).unwrap();
        file.sync_data().unwrap();
        at += group.len() as u64;
        group.clear();
        for done in answers.drain(..) {
            // A client that went away does not matter.
            let _ = done.send(());
        }
    }
}
