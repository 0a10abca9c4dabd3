//! Programs that tests start, and that never outlive them.

use std::{
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::wait;

/// A running program. It is killed when this is dropped, and when the thread that started it ends in any way.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program with the arguments and the environment of `command`.
    pub fn start(command: &Command, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        // The kernel then kills it even where the tests are killed themselves.
        let mut guarded = Command::new("setpriv");
        guarded.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(name, value),
                None => guarded.env_remove(name),
            };
        }
        let child = guarded
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("setpriv, which is part of util-linux");
        Self { child }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &self.child.id().to_string()]).status();
        assert!(sent.expect("a shell").success(), "no process {} to terminate", self.child.id());
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(&mut self) {
        // Both fail only where it has ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits for the end.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        wait::within(within, "the process ends", || self.ended().ok_or_else(|| "it runs".to_owned()))
    }
}

/// Makes something with processes that outlive the test which needs it first: on a thread that never ends.
pub fn kept<T: Send + 'static>(make: fn() -> T) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if sender.send(make()).is_ok() {
            loop {
                thread::park();
            }
        }
    });
    receiver.recv().expect("it can be made")
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
