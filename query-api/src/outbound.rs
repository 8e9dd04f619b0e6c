//! Calls to addresses that customers give. Whoever may set one must not reach through us what only this machine or its network reaches:
//! the address is resolved here, checked, and the connection goes to just what was checked.

mod allow;
mod call;
mod connect;
mod network;
mod target;
#[cfg(test)]
mod tests;

pub(crate) use allow::AllowList;
pub(crate) use call::{Answer, Call, Error, Outbound, Request};
#[cfg(test)]
pub(crate) use connect::Names;
pub(crate) use target::check as check_target;
