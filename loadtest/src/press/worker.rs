//! One thread: takes arrivals off the schedule and gives each to the visit that is due, or to a new one.

use std::cell::{Cell, RefCell};
use std::collections::{BinaryHeap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::connection::Pool;
use super::deliver::deliver;
use super::tally::Tally;
use super::{Job, News};
use crate::corpus::{Corpus, Recording};
use crate::ledger;
use crate::schedule::{Schedule, seconds};
use crate::visitor::Visitor;

pub(super) struct Settings {
    pub(super) job: Arc<Job>,
    pub(super) corpus: Arc<Corpus>,
    pub(super) ledger: PathBuf,
    pub(super) shard: u64,
    pub(super) shards: u64,
    pub(super) start: Instant,
    pub(super) news: mpsc::UnboundedSender<News>,
}

/// What the thread's tasks share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) pool: Pool,
    pub(super) tally: RefCell<Tally>,
    pub(super) ledger: RefCell<ledger::Writer>,
    pub(super) random: RefCell<StdRng>,
    /// Deliveries under way.
    pub(super) under_way: Cell<usize>,
    /// Samples that may still be told within this second.
    pub(super) samples: Cell<u32>,
    /// Nothing is tried any more.
    pub(super) given_up: Cell<bool>,
    /// The first failure to write the ledger.
    pub(super) failure: RefCell<Option<std::io::Error>>,
}

/// A visit under way.
pub(super) struct Visit {
    pub(super) visitor: Visitor,
    next: Cell<usize>,
    /// Batches that are due, each since its moment: a visit sends one at a time, as the SDK does.
    pub(super) waiting: RefCell<VecDeque<(usize, Instant)>>,
    pub(super) is_sending: Cell<bool>,
    /// Our clock minus the browser's.
    pub(super) clock_ms: Cell<Option<f64>>,
    pub(super) token: RefCell<Option<String>>,
    pub(super) custom_events: Cell<u64>,
    /// Of the newest attempt.
    pub(super) body_bytes: Cell<u64>,
}

/// Samples that are told in a second, all threads together.
const SAMPLES_PER_S: u32 = 20;
const TICK: Duration = Duration::from_millis(1);

pub(super) fn run(settings: Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, press(settings))
}

async fn press(settings: Settings) -> anyhow::Result<()> {
    let client = settings.job.scenario.client.clone();
    let generators = settings.shards as usize;
    let connections = (client.connections / client.workers).max(1);
    let timeout = Duration::from_millis(client.attempt_timeout_ms);
    let shared = Rc::new(Shared {
        pool: Pool::new(&settings.job.gateways, connections, timeout).await?,
        tally: RefCell::default(),
        ledger: RefCell::new(ledger::Writer::create(&settings.ledger)?),
        random: RefCell::new(StdRng::from_os_rng()),
        under_way: Cell::new(0),
        samples: Cell::new(0),
        given_up: Cell::new(false),
        failure: RefCell::default(),
        settings,
    });
    let teller = tokio::task::spawn_local(tell_every_second(
        shared.clone(),
        SAMPLES_PER_S.div_ceil(generators as u32),
    ));
    follow_schedule(&shared).await;
    drain(&shared, Duration::from_secs(client.drain_s)).await;
    teller.abort();
    tell(&shared);
    shared.ledger.borrow_mut().flush()?;
    shared.failure.take().map_or(Ok(()), |error| Err(error.into()))
}

async fn follow_schedule(shared: &Rc<Shared>) {
    let settings = &shared.settings;
    let scenario = &settings.job.scenario;
    let share = scenario.rate / settings.shards as f64;
    let mut schedule = Schedule::new(&scenario.phases, share, scenario.arrivals);
    let mut visits = Visits::new(shared.clone());
    let mut upcoming = schedule.next(&mut *shared.random.borrow_mut());
    while let Some(moment) = upcoming {
        let due = settings.start + Duration::from_secs_f64(moment);
        let now = Instant::now();
        if due > now {
            tokio::time::sleep_until((now + TICK).max(due).into()).await;
            continue;
        }
        visits.send_next(due);
        shared.tally.borrow_mut().lateness.record(now - due);
        upcoming = schedule.next(&mut *shared.random.borrow_mut());
    }
    let end = settings.start + Duration::from_secs_f64(seconds(&scenario.phases));
    tokio::time::sleep_until(end.into()).await;
    visits.finish_events();
}

/// Waits for what is under way; then gives up.
async fn drain(shared: &Rc<Shared>, patience: Duration) {
    let end = Instant::now() + patience;
    while shared.under_way.get() > 0 {
        if Instant::now() > end {
            shared.given_up.set(true);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn tell_every_second(shared: Rc<Shared>, samples: u32) {
    let mut second = 1;
    loop {
        shared.samples.set(samples);
        tokio::time::sleep_until((shared.settings.start + Duration::from_secs(second)).into()).await;
        tell(&shared);
        second += 1;
    }
}

fn tell(shared: &Shared) {
    let mut tally = shared.tally.take();
    tally.attempts += shared.pool.reopened.take();
    let second = shared.settings.start.elapsed().as_secs_f64().round() as u64;
    // Nobody listens any more when the run is being stopped.
    let _ =
        shared.settings.news.send(News::Counted { second: second.saturating_sub(1), tally: Box::new(tally) });
    if let Err(error) = shared.ledger.borrow_mut().flush() {
        shared.failure.borrow_mut().get_or_insert(error);
    }
}

/// Visits by the moment at which their next batch is due.
struct Visits {
    shared: Rc<Shared>,
    due: BinaryHeap<Due>,
    started: u64,
}

struct Due {
    at: Instant,
    visit: Rc<Visit>,
}

impl Visits {
    const fn new(shared: Rc<Shared>) -> Self {
        Self { shared, due: BinaryHeap::new(), started: 0 }
    }

    /// Gives the arrival at `moment` to the visit that is due, or starts one.
    fn send_next(&mut self, moment: Instant) {
        let is_due = self.due.peek().is_some_and(|next| next.at <= moment);
        let visit = match self.due.pop() {
            Some(next) if is_due => next.visit,
            other => {
                self.due.extend(other);
                self.start()
            }
        };
        self.shared.tally.borrow_mut().due += 1;
        let pace_ms = self.shared.settings.job.scenario.visitors.pace_ms as f64;
        let pace =
            Duration::from_secs_f64(pace_ms * self.shared.random.borrow_mut().random_range(0.5..1.5) / 1e3);
        if let Some(next) = send(&self.shared, &visit, moment) {
            let at = if next { moment } else { moment + pace };
            self.due.push(Due { at, visit });
        }
    }

    fn start(&mut self) -> Rc<Visit> {
        let Settings { job, corpus, shard, shards, .. } = &self.shared.settings;
        let visitor = job.population.visitor(self.started * shards + shard, corpus);
        self.started += 1;
        self.shared.tally.borrow_mut().visits += 1;
        Rc::new(Visit {
            visitor,
            next: Cell::new(0),
            waiting: RefCell::default(),
            is_sending: Cell::new(false),
            clock_ms: Cell::new(None),
            token: RefCell::default(),
            custom_events: Cell::new(0),
            body_bytes: Cell::new(0),
        })
    }

    /// Visits end where the schedule ends, but not within an event that travels in parts.
    fn finish_events(self) {
        let now = Instant::now();
        for Due { visit, .. } in self.due {
            while visit.is_within_event(&self.shared) {
                self.shared.tally.borrow_mut().due += 1;
                send(&self.shared, &visit, now);
            }
        }
    }
}

impl Visit {
    pub(super) fn recording<'a>(&self, shared: &'a Shared) -> &'a Recording {
        &shared.settings.corpus.recordings[self.visitor.recording]
    }

    fn is_within_event(&self, shared: &Shared) -> bool {
        self.recording(shared).batches.get(self.next.get()).is_some_and(crate::corpus::Batch::continues_event)
    }
}

/// Sends the visit's next batch. Returns whether the one after it belongs to the same event; `None` after the last.
fn send(shared: &Rc<Shared>, visit: &Rc<Visit>, moment: Instant) -> Option<bool> {
    let index = visit.next.get();
    visit.next.set(index + 1);
    visit.waiting.borrow_mut().push_back((index, moment));
    if !visit.is_sending.replace(true) {
        shared.under_way.set(shared.under_way.get() + 1);
        tokio::task::spawn_local(deliver(shared.clone(), visit.clone()));
    }
    visit.recording(shared).batches.get(index + 1).map(crate::corpus::Batch::continues_event)
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// The earliest is the greatest, for a heap that gives the greatest first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}
