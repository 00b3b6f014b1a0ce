//! A client, a server, and what their parent's book makes of them.

use super::*;

const CLIENT: (Member, &str) = (7, "client");
const SERVER: Member = 3;

fn open(book: &mut Book) -> Result<Opened, OpenError> {
    book.open(CLIENT, SERVER, "echo", b"x")
}

/// A session that is open, under the number 20 of the client.
fn opened(book: &mut Book) -> u32 {
    book.announce(SERVER, "echo").unwrap();
    opened_as(book, 20)
}

/// Another one, under that number of the client.
fn opened_as(book: &mut Book, slot: u32) -> u32 {
    assert_eq!(open(book), Ok(Opened::Pending { ring: true }));
    let number = book.tasks[&SERVER].back().unwrap().session;
    assert_eq!(book.done(SERVER, number, true), Ok(Some(CLIENT.0)));
    assert_eq!(open(book), Ok(Opened::Accepted(number)));
    book.installed(number, Slot(slot));
    number
}

#[test]
fn a_session_is_opened_by_asking_again() {
    let mut book = Book::new();
    let number = opened(&mut book);
    assert_eq!(book.session(CLIENT.0, Slot(20)), Some((number, SERVER)));
    assert_eq!((book.session(CLIENT.0, Slot(21)), book.session(SERVER, Slot(20))), (None, None));
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }), "the same again is another session");
    assert!(book.task(SERVER).unwrap().session > number);
}

#[test]
fn a_server_that_comes_later_finds_who_waits() {
    let mut book = Book::new();
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: false }));
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: false }));
    assert_eq!(book.task(SERVER), None);
    assert_eq!(book.announce(SERVER, "other"), Ok(false));
    assert_eq!(book.announce(SERVER, "echo"), Ok(true));
    let task = book.task(SERVER).unwrap().clone();
    let TaskKind::Open { service, client, argument } = task.what else { panic!() };
    assert_eq!((service.as_str(), client.as_str(), argument.as_slice()), ("echo", "client", &b"x"[..]));
    assert_eq!(book.done(SERVER, task.session + 1, true), Err(SessionError::Nothing));
    assert_eq!(book.done(CLIENT.0, task.session, true), Err(SessionError::Nothing));
    assert_eq!(book.done(SERVER, task.session, false), Ok(Some(CLIENT.0)));
    assert_eq!(open(&mut book), Err(OpenError::Refused));
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }), "a refusal is told once");
}

#[test]
fn services_have_names_and_are_announced_once() {
    let mut book = Book::new();
    assert_eq!(book.announce(SERVER, ""), Err(AnnounceError::Name));
    assert_eq!(book.announce(SERVER, &"x".repeat(33)), Err(AnnounceError::Name));
    assert_eq!(book.announce(SERVER, "echo"), Ok(false));
    assert_eq!(book.announce(SERVER, "echo"), Err(AnnounceError::Occupied));
    for n in 1..MAX_SERVICES {
        book.announce(SERVER, &alloc::format!("s{n}")).unwrap();
    }
    assert_eq!(book.announce(SERVER, "more"), Err(AnnounceError::Occupied));
}

#[test]
fn the_client_of_a_session_is_known_before_it_is_accepted() {
    let mut book = Book::new();
    book.announce(SERVER, "echo").unwrap();
    assert_eq!(book.open(CLIENT, SERVER, "echo", b""), Ok(Opened::Pending { ring: true }));
    let session = book.task(SERVER).unwrap().session;
    assert_eq!(book.client(SERVER, session), Some(CLIENT.0));
}

#[test]
fn a_closed_session_is_the_servers_to_forget() {
    let mut book = Book::new();
    let number = opened(&mut book);
    assert_eq!(book.hand_over(SERVER, number, Slot(30), true), Ok(1));
    assert_eq!((book.client(SERVER, number), book.client(CLIENT.0, number)), (Some(CLIENT.0), None));
    assert_eq!(book.close(CLIENT.0, Slot(21)), Err(SessionError::Nothing));
    assert_eq!(book.close(CLIENT.0, Slot(20)), Ok(Some(SERVER)));
    assert_eq!(book.close(CLIENT.0, Slot(20)), Err(SessionError::Nothing));
    assert_eq!(book.task(SERVER), Some(&Task { session: number, what: TaskKind::Close }));
    assert_eq!(book.hand_over(SERVER, number, Slot(30), true), Err(SessionError::Nothing));
    assert_eq!(book.client(SERVER, number), None);
    assert_eq!(book.done(SERVER, number, true), Ok(None));
    assert!(book.sessions.is_empty() && book.slots.is_empty());
}

#[test]
fn handles_belong_to_one_session() {
    let mut book = Book::new();
    let number = opened(&mut book);
    let handle = book.hand_over(SERVER, number, Slot(30), false).unwrap();
    assert_eq!(book.hand_over(SERVER, number, Slot(30), false), Ok(handle));
    assert_eq!(book.hand_over(CLIENT.0, number, Slot(30), false), Err(SessionError::Nothing));
    let handed = Handed { server: SERVER, number: Slot(30), writable: false };
    assert_eq!(book.redeem(CLIENT.0, Slot(20), handle), Some(handed));
    for (client, slot, handle) in
        [(CLIENT.0, 20, 0), (CLIENT.0, 20, 2), (CLIENT.0, 20, !0), (8, 20, 1), (CLIENT.0, 21, 1)]
    {
        assert_eq!(book.redeem(client, Slot(slot), handle), None);
    }
    for n in 2..=MAX_HANDLES as u32 {
        assert_eq!(book.hand_over(SERVER, number, Slot(30 + n), true), Ok(n));
    }
    assert_eq!(book.hand_over(SERVER, number, Slot(99), true), Err(SessionError::Caps));
}

#[test]
fn what_a_client_lends_is_for_the_server_of_that_session() {
    let mut book = Book::new();
    let number = opened(&mut book);
    assert_eq!(book.lend(CLIENT.0, Slot(20), Slot(40)), Ok(1));
    assert_eq!(book.lend(CLIENT.0, Slot(20), Slot(40)), Ok(1), "the same again");
    for (client, slot) in [(CLIENT.0, 21), (SERVER, 20), (8, 20)] {
        assert_eq!(book.lend(client, Slot(slot), Slot(40)), Err(SessionError::Nothing));
    }
    let lent = Handed { server: CLIENT.0, number: Slot(40), writable: true };
    assert_eq!(book.borrow(SERVER, number, 1), Some(lent));
    for (server, number, handle) in [(SERVER, number, 0), (SERVER, number, 2), (SERVER, number, !0), (8, number, 1)] {
        assert_eq!(book.borrow(server, number, handle), None);
    }
    for n in 2..=MAX_HANDLES as u32 {
        assert_eq!(book.lend(CLIENT.0, Slot(20), Slot(40 + n)), Ok(n));
    }
    assert_eq!(book.lend(CLIENT.0, Slot(20), Slot(99)), Err(SessionError::Caps));
    book.close(CLIENT.0, Slot(20)).unwrap();
    assert_eq!(book.borrow(SERVER, number, 1), None, "the client does not want it any more");
}

#[test]
fn upgrades_reach_the_server() {
    let mut book = Book::new();
    let number = opened(&mut book);
    for _ in 0..MAX_UPGRADES {
        assert!(book.can_upgrade(number));
        assert_eq!(book.upgraded(number, 4096, 2), Ok(SERVER));
    }
    assert!(!book.can_upgrade(number));
    assert_eq!(book.task(SERVER).unwrap().what, TaskKind::Upgrade { ram: 4096, caps: 2 });
    assert_eq!(book.done(SERVER, number, true), Ok(None));
    assert!(book.can_upgrade(number));
}

#[test]
fn whoever_ends_leaves_nothing() {
    let mut book = Book::new();
    let number = opened(&mut book);
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }));
    let (servers, dead) = book.ended(CLIENT.0);
    assert_eq!((servers, dead), (alloc::vec![SERVER], alloc::vec![]));
    assert_eq!(book.task(SERVER), Some(&Task { session: number, what: TaskKind::Close }));
    book.done(SERVER, number, true).unwrap();
    assert!(book.sessions.is_empty() && book.task(SERVER).is_none());

    let mut book = Book::new();
    opened(&mut book);
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }));
    let (servers, dead) = book.ended(SERVER);
    assert_eq!(servers, []);
    let waiting = Dead { client: CLIENT.0, slot: None };
    assert_eq!(dead, [Dead { client: CLIENT.0, slot: Some(Slot(20)) }, waiting]);
    assert_eq!(open(&mut book), Err(OpenError::Gone));
    assert_eq!(book.close(CLIENT.0, Slot(20)), Ok(None), "nobody is left to be told");
    assert!(book.sessions.is_empty() && book.slots.is_empty());
}

#[test]
fn a_client_has_so_many_sessions() {
    let mut book = Book::new();
    for n in 0..MAX_OPEN {
        book.open(CLIENT, SERVER, "echo", alloc::format!("{n}").as_bytes()).unwrap();
    }
    assert_eq!(open(&mut book), Err(OpenError::Caps));
    assert!(book.open((8, "other"), SERVER, "echo", b"x").is_ok());
    assert_eq!(book.open((8, "other"), SERVER, "echo", &[0; 161]), Err(OpenError::Refused));
}

/// What a server has to do, in order.
fn tasks(book: &mut Book) -> Vec<(u32, &'static str)> {
    let mut all = Vec::new();
    while let Some(task) = book.task(SERVER).cloned() {
        let what = match task.what {
            TaskKind::Open { .. } => "open",
            TaskKind::Upgrade { .. } => "upgrade",
            TaskKind::Close => "close",
        };
        all.push((task.session, what));
        book.done(SERVER, task.session, true).unwrap();
    }
    all
}

#[test]
fn a_server_that_goes_back_is_told_again_what_it_forgets() {
    let mut book = Book::new();
    let kept = opened(&mut book);
    let closed = opened_as(&mut book, 21);
    let closing = opened_as(&mut book, 22);
    let known = book.known(SERVER);
    // Since then: one was closed, with the server's knowledge; one without; one was opened; one is wanted.
    book.close(CLIENT.0, Slot(21)).unwrap();
    assert_eq!(tasks(&mut book), [(closed, "close")]);
    book.close(CLIENT.0, Slot(22)).unwrap();
    book.upgraded(kept, 1, 1).unwrap();
    let new = opened_as(&mut book, 23);
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }));
    let wanted = new + 1;
    book.goes_back(SERVER, &known);
    assert!(book.can_upgrade(kept));
    assert_eq!(tasks(&mut book), [(closed, "close"), (closing, "close"), (new, "open"), (wanted, "open")]);
    assert_eq!(book.session(CLIENT.0, Slot(23)), Some((new, SERVER)), "its client does not notice");
    assert_eq!(open(&mut book), Ok(Opened::Accepted(wanted)));
    // Once more to the same: what is there is the same.
    book.goes_back(SERVER, &known);
    assert_eq!(tasks(&mut book), [(closed, "close"), (closing, "close"), (new, "open"), (wanted, "open")]);
    assert_eq!(open(&mut book), Ok(Opened::Accepted(wanted)));
}

#[test]
fn a_server_that_goes_back_to_before_it_announced_announces_again() {
    let mut book = Book::new();
    let known = book.known(SERVER);
    let number = opened(&mut book);
    book.goes_back(SERVER, &known);
    assert_eq!(tasks(&mut book), []);
    assert_eq!(book.announce(SERVER, "echo"), Ok(true));
    assert_eq!(tasks(&mut book), [(number, "open")]);
}

#[test]
fn a_session_is_served_where_its_server_says() {
    let mut book = Book::new();
    book.announce(SERVER, "echo").unwrap();
    open(&mut book).unwrap();
    let number = book.task(SERVER).unwrap().session;
    assert_eq!(book.served_at(number), None);
    assert_eq!(book.serve_at(CLIENT.0, number, Slot(30)), Err(SessionError::Nothing));
    assert_eq!(book.serve_at(SERVER, number, Slot(30)), Ok(()));
    book.done(SERVER, number, true).unwrap();
    assert_eq!(book.served_at(number).map(|handed| (handed.server, handed.number)), Some((SERVER, Slot(30))));
    assert_eq!(book.serve_at(SERVER, number, Slot(31)), Err(SessionError::Nothing), "it has said so");
}

#[test]
fn a_server_that_begins_anew_is_told_its_sessions() {
    let mut book = Book::new();
    let number = opened(&mut book);
    book.hand_over(SERVER, number, Slot(30), true).unwrap();
    (0..MAX_UPGRADES).for_each(|_| _ = book.upgraded(number, 1, 1));
    // One more is accepted and not fetched, another one is not answered, a third was closed.
    let accepted = book.open(CLIENT, SERVER, "echo", b"accepted").map(|_| book.last).unwrap();
    book.done(SERVER, accepted, true).unwrap();
    let waiting = book.open(CLIENT, SERVER, "echo", b"waiting").map(|_| book.last).unwrap();
    let closed = book.open(CLIENT, SERVER, "echo", b"closed").map(|_| book.last).unwrap();
    book.done(SERVER, closed, true).unwrap();
    book.installed(closed, Slot(21));
    assert_eq!(book.close(CLIENT.0, Slot(21)), Ok(Some(SERVER)));

    assert_eq!(book.restarts(SERVER), []);
    assert_eq!((book.task(SERVER), book.redeem(CLIENT.0, Slot(20), 1)), (None, None));
    assert_eq!(book.session(CLIENT.0, Slot(20)), Some((number, SERVER)));
    assert!(book.can_upgrade(number));
    assert_eq!(book.open(CLIENT, SERVER, "echo", b"accepted"), Ok(Opened::Pending { ring: false }));
    assert_eq!(book.announce(SERVER, "echo"), Ok(true));
    for expected in [number, accepted, waiting] {
        let task = book.task(SERVER).unwrap().clone();
        assert!(matches!(task.what, TaskKind::Open { .. }) && task.session == expected);
        let rings = (expected != number).then_some(CLIENT.0);
        assert_eq!(book.done(SERVER, expected, true), Ok(rings), "who has its session is not rung");
    }
    assert_eq!(book.task(SERVER), None);
    assert_eq!(book.hand_over(SERVER, number, Slot(31), true), Ok(1));
    assert_eq!(book.open(CLIENT, SERVER, "echo", b"accepted"), Ok(Opened::Accepted(accepted)));
    assert_eq!(book.close(CLIENT.0, Slot(20)), Ok(Some(SERVER)));
}

#[test]
fn sessions_end_quietly_while_their_server_is_away() {
    let mut book = Book::new();
    let number = opened(&mut book);
    book.restarts(SERVER);
    book.restarts(SERVER);
    assert_eq!(book.close(CLIENT.0, Slot(20)), Ok(None), "it does not know of it");
    assert_eq!(book.announce(SERVER, "echo"), Ok(false));
    assert!(book.sessions.is_empty() && book.slots.is_empty() && book.open[&CLIENT.0] == 0);

    // One that it does not want any more stays the client's to close.
    let mut book = Book::new();
    let again = opened(&mut book);
    assert_eq!(again, number);
    book.restarts(SERVER);
    book.announce(SERVER, "echo").unwrap();
    assert_eq!(book.done(SERVER, again, false), Ok(None));
    assert_eq!(book.session(CLIENT.0, Slot(20)), Some((again, SERVER)));
    book.restarts(SERVER);
    let dead = Dead { client: CLIENT.0, slot: Some(Slot(20)) };
    assert_eq!(book.ended(SERVER), (alloc::vec![], alloc::vec![dead]));
}

#[test]
fn a_client_that_begins_anew_has_no_sessions() {
    let mut book = Book::new();
    let number = opened(&mut book);
    let waiting = book.open(CLIENT, SERVER, "echo", b"waiting").map(|_| book.last).unwrap();
    assert_eq!(book.restarts(CLIENT.0), [SERVER]);
    assert_eq!(book.session(CLIENT.0, Slot(20)), None);
    assert_eq!(book.task(SERVER), Some(&Task { session: number, what: TaskKind::Close }));
    assert_eq!(book.done(SERVER, waiting, true), Err(SessionError::Nothing), "nobody waits for it any more");
    assert_eq!(book.done(SERVER, number, true), Ok(None));
    assert!(book.sessions.is_empty() && book.open[&CLIENT.0] == 0);
    assert_eq!(open(&mut book), Ok(Opened::Pending { ring: true }));
}
