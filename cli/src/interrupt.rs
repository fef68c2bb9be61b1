//! Ctrl-C: the first one asks for an end, the second one is the end.
//!
//! After the first, running replications finish, what is done is folded, written and marked, and the exit status is
//! 130. After the second the process ends at once; files are written under temporary names and renamed, so that
//! even then none is half written.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::printer::Printer;

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts to listen, and returns the flag that the first Ctrl-C sets.
pub(crate) fn listen(printer: &Printer) -> &'static AtomicBool {
    let listening = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            leave_at_once();
        }
    });
    if let Err(error) = listening {
        printer.note(&format!("Ctrl-C will stop without writing results ({error})"));
    }
    &STOP
}

/// Whether the first Ctrl-C has come.
pub(crate) fn requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

#[expect(clippy::exit, reason = "the user asked twice; unwinding would wait for the worker threads")]
fn leave_at_once() {
    std::process::exit(Exit::Interrupted.code().into());
}
