//! What happened at the site, as plain data.

/// What a [`Site`](super::Site) has seen: every request in the order of arrival, how it ended, and how many were there at once.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    requests: Vec<Request>,
    /// Indices of `requests`, in the order in which they ended.
    endings: Vec<usize>,
    in_flight: usize,
    peak: usize,
}

/// A request that reached the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path of its URL, `/a`.
    pub path: String,
    /// How it ended.
    pub ending: Ending,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Not yet: it is in flight.
    Pending,
    /// With this status, and all of its text.
    Answered(u16),
    /// The site closed the connection before the answer was complete.
    BrokenOff,
    /// The client closed the connection and did not wait for the end of the answer.
    HungUp,
}

impl Transcript {
    /// All requests in the order of arrival.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The paths in the order of arrival, one entry a request.
    pub fn arrivals(&self) -> Vec<&str> {
        self.requests.iter().map(|request| request.path.as_str()).collect()
    }

    /// The paths in the order in which they were answered, one entry a request.
    pub fn answers(&self) -> Vec<&str> {
        let ended = self.endings.iter().map(|&index| &self.requests[index]);
        ended.filter(|request| matches!(request.ending, Ending::Answered(_))).map(|r| r.path.as_str()).collect()
    }

    /// How many requests asked for this path. All but the first are retries.
    pub fn attempts(&self, path: &str) -> usize {
        self.requests.iter().filter(|request| request.path == path).count()
    }

    /// How many requests for this path the client gave up: it closed the connection before the answer was complete.
    pub fn hung_up(&self, path: &str) -> usize {
        self.requests.iter().filter(|request| request.path == path && request.ending == Ending::HungUp).count()
    }

    /// How many requests are in flight now.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The highest number of requests that were in flight at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Notes a request and returns its index.
    pub(super) fn arrive(&mut self, path: &str) -> usize {
        self.requests.push(Request { path: path.to_owned(), ending: Ending::Pending });
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        self.requests.len() - 1
    }

    /// Notes how the request with this index ended.
    pub(super) fn end(&mut self, index: usize, ending: Ending) {
        self.requests[index].ending = ending;
        self.endings.push(index);
        self.in_flight -= 1;
    }
}
