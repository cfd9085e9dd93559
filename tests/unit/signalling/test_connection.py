"""The life of one signalling connection, told in plain numbers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlive_core.signalling import (
    AnswerPk,
    Auth,
    Authenticate,
    AuthRes,
    Close,
    CloseCode,
    ConnectionLimits,
    Disconnect,
    Execute,
    Leave,
    Output,
    Ping,
    Send,
    SignalCode,
    SignalConnection,
    StartPk,
    StartPkRes,
    State,
)
from qlive_core.signalling.connection import TABLE, TIMERS, Event

OPENED = 100.0
AUTH = Auth(rpc_id="1", token="t")
AUTH_RES = Send('auth-res={"rpcID":"1","code":0,"error":"","pongTimeout":20}')
PING = Send("ping={}")
PONG = Send("pong={}")

# What a payload of each event looks like; None where there is none.
PAYLOADS: dict[Event, object] = {
    Event.AUTH: AUTH,
    Event.ACCEPTED: (AUTH, "u"),
    Event.BAD_REQUEST: StartPkRes.answer(SignalCode.UNKNOWN_MESSAGE, None),
    Event.REFUSED: AuthRes.answer(SignalCode.TOKEN_INVALID, None),
    Event.REQUEST: StartPk(pk_room_id="x"),
    Event.DISCONNECT: Disconnect(),
    Event.PING: Ping(),
    Event.ENDED: (CloseCode.REPLACED, ""),
}
# Events that mean nothing in a state, by intention.
IGNORED: dict[State, set[Event]] = {
    State.CONNECTED: {
        Event.PING,
        Event.PONG,
        Event.DISCONNECT,
        Event.REQUEST,
        Event.UNKNOWN,
        Event.PING_DUE,
        Event.SILENT,
    },
    State.AUTHORISED: {Event.PONG, Event.UNKNOWN, Event.AUTH_OVERDUE},
    State.CLOSED: set(Event),
}


def connected(**limits: float) -> SignalConnection:
    return SignalConnection(OPENED, ConnectionLimits(**limits))  # type: ignore[arg-type]  # some are ints


def authorised(**limits: float) -> SignalConnection:
    connection = connected(**limits)
    connection.authorised(AUTH, "u", OPENED)
    return connection


def in_state(state: State) -> SignalConnection:
    connection = connected() if state is State.CONNECTED else authorised()
    if state is State.CLOSED:
        connection.close(CloseCode.REPLACED)
    return connection


def closed_by(outputs: tuple[Output, ...]) -> CloseCode:
    (close,) = outputs
    assert isinstance(close, Close)
    assert close.reason
    return close.code


class TestTable:
    def test_every_state_has_a_row(self) -> None:
        """No state is forgotten, and nothing leads out of CLOSED."""
        assert set(TABLE) == set(TIMERS) == set(State)
        assert not TABLE[State.CLOSED]
        assert not TIMERS[State.CLOSED]

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("event", Event)
    def test_every_event_is_decided_in_every_state(self, state: State, event: Event) -> None:
        """Each event either has its transition or is ignored on purpose, and then changes nothing."""
        connection = in_state(state)
        outputs = connection._on(event, PAYLOADS.get(event))
        if event in IGNORED[state]:
            assert event not in TABLE[state]
            assert (outputs, connection.state) == ((), state)
        else:
            assert outputs
            assert connection.state is TABLE[state][event].target

    @pytest.mark.parametrize("state", [State.CONNECTED, State.AUTHORISED])
    def test_closing_and_the_closed_state_go_together(self, state: State) -> None:
        """A transition ends in CLOSED exactly if it gives a Close or a Leave."""
        for event, transition in TABLE[state].items():
            outputs = in_state(state)._on(event, PAYLOADS.get(event))
            ends = any(isinstance(output, Close | Leave) for output in outputs)
            assert ends == (transition.target is State.CLOSED), event


class TestBeforeAuth:
    @pytest.mark.parametrize(
        "frame",
        [
            "ping={}",
            "pong={}",
            'start-pk={"rpcID":"x","pkRoomID":"y"}',
            "disconnect={}",
            "start-pk=x",
            "=",
            "?=",
        ],
    )
    def test_everything_but_auth_is_dropped(self, frame: str) -> None:
        """Other messages are dropped without a word, whatever they hold."""
        connection = connected()
        assert connection.text_received(frame, OPENED + 1) == ()
        assert connection.state is State.CONNECTED

    def test_auth_is_handed_out(self) -> None:
        """The shell is asked to resolve the token."""
        assert connected().text_received('auth={"rpcID":"1","token":"t"}', OPENED) == (Authenticate(AUTH),)

    def test_bad_json_is_answered(self) -> None:
        """An auth that cannot be read is answered, and the connection stays open."""
        connection = connected()
        assert connection.text_received("auth=notjson", OPENED) == (
            Send('auth-res={"code":10001,"error":"unknown message"}'),
        )
        assert connection.state is State.CONNECTED

    def test_a_refused_token_leaves_the_deadline_where_it_was(self) -> None:
        """After a bad token another may be tried, until 5 s after the opening."""
        connection = connected()
        connection.text_received('auth={"rpcID":"1","token":"t"}', OPENED + 4)
        assert connection.refused(AUTH, SignalCode.TOKEN_INVALID) == (
            Send('auth-res={"rpcID":"1","code":10002,"error":"token invalid"}'),
        )
        assert connection.next_tick == OPENED + 5
        assert connection.tick(OPENED + 4.999) == ()
        assert closed_by(connection.tick(OPENED + 5)) is CloseCode.POLICY_VIOLATION

    def test_signs_of_life_do_not_move_the_deadline(self) -> None:
        """Pings of the WebSocket layer keep nobody connected without a token."""
        connection = connected()
        assert connection.heard(OPENED + 4.9) == ()
        assert closed_by(connection.tick(OPENED + 5)) is CloseCode.POLICY_VIOLATION

    def test_4_kib_are_enough(self) -> None:
        """A longer message closes the connection, be it an auth or not."""
        fits = "?=" + "x" * 4094
        assert connected().text_received(fits, OPENED) == ()
        assert closed_by(connected().text_received(fits + "x", OPENED)) is CloseCode.TOO_LONG

    def test_the_general_limit_also_binds_before_auth(self) -> None:
        """A smaller general limit is not widened by the one before auth."""
        small = connected(max_message_bytes=10)
        assert closed_by(small.text_received("?=012345678", OPENED)) is CloseCode.TOO_LONG


class TestAuthorised:
    def test_auth_res_comes_first_then_a_ping(self) -> None:
        """The first message that a client hears is auth-res; pings follow every 5 s from then."""
        connection = connected()
        assert connection.authorised(AUTH, "u", OPENED + 2) == (AUTH_RES, PING)
        assert (connection.state, connection.user_id) == (State.AUTHORISED, "u")
        assert connection.next_tick == OPENED + 7

    @pytest.mark.parametrize(("timeout_s", "announced"), [(20.0, 20), (0.2, 1), (7.9, 7)])
    def test_the_announced_pong_timeout_is_a_whole_number_above_zero(
        self, timeout_s: float, announced: int
    ) -> None:
        """IOS would give up at once if it were told 0."""
        (reply, _ping) = connected(pong_timeout_s=timeout_s).authorised(AUTH, "u", OPENED)
        assert reply == Send(f'auth-res={{"rpcID":"1","code":0,"error":"","pongTimeout":{announced}}}')

    def test_requests_are_handed_out(self) -> None:
        """Known requests go to the shell, decoded."""
        assert authorised().text_received('answer-pk={"pkRoomID":"r","accept":1}', OPENED) == (
            Execute(AnswerPk(req_room_id="r", accept=True)),
        )

    @pytest.mark.parametrize(
        ("frame", "outputs"),
        [
            ("ping=anything", (PONG,)),
            ("pong=not json", ()),
            ("on-pk-end={}", ()),
            ("unknown=", ()),
            ("=", ()),
            ("disconnect=bad", ()),
            (
                'start-pk={"rpcID":7,"pkRoomID":5}',
                (Send('start-pk-res={"rpcID":7,"code":10001,"error":"unknown message"}'),),
            ),
        ],
    )
    def test_other_frames(self, frame: str, outputs: tuple[Output, ...]) -> None:
        """Pings are answered, bad requests told so, the rest ignored; all count as life."""
        connection = authorised()
        assert connection.text_received(frame, OPENED + 3) == outputs
        assert (connection.state, connection.last_heard) == (State.AUTHORISED, OPENED + 3)

    def test_disconnect_ends_it(self) -> None:
        """After disconnect nothing that was sent behind it has an effect."""
        connection = authorised()
        assert connection.text_received('disconnect={"rpcID":3}', OPENED) == (Leave(),)
        assert connection.text_received('start-pk={"pkRoomID":"r"}', OPENED) == ()
        assert connection.state is State.CLOSED

    def test_a_second_auth_of_the_same_user_is_answered_again(self) -> None:
        """The same user hears auth-res once more, and the pings keep their rhythm."""
        connection = authorised()
        assert connection.text_received('auth={"rpcID":"1","token":"t"}', OPENED + 3) == (Authenticate(AUTH),)
        assert connection.authorised(AUTH, "u", OPENED + 3) == (AUTH_RES,)
        assert connection.next_tick == OPENED + 5

    def test_a_second_auth_cannot_change_the_user(self) -> None:
        """Another user's token, or a bad one, is 10002 and changes nothing."""
        connection = authorised()
        invalid = (Send('auth-res={"rpcID":"1","code":10002,"error":"token invalid"}'),)
        assert connection.authorised(AUTH, "v", OPENED + 3) == invalid
        assert connection.refused(AUTH, SignalCode.TOKEN_INVALID) == invalid
        assert (connection.state, connection.user_id) == (State.AUTHORISED, "u")

    def test_messages_count_in_bytes_of_utf8(self) -> None:
        """64 KiB may come, however many characters they are."""
        assert authorised().text_received("?=" + "用" * 21844 + "xx", OPENED) == ()
        assert closed_by(authorised().text_received("?=" + "用" * 21845, OPENED)) is CloseCode.TOO_LONG
        assert closed_by(authorised().text_received("x" * 65537, OPENED)) is CloseCode.TOO_LONG


class TestHeartbeat:
    def test_pings_go_out_every_5_seconds(self) -> None:
        """The raster holds when ticks come a little late, and a long stall does not cause a burst."""
        connection = authorised(pong_timeout_s=1000)
        assert connection.tick(OPENED + 4.9) == ()
        assert connection.tick(OPENED + 5.1) == (PING,)
        assert connection.next_tick == OPENED + 10
        assert connection.tick(OPENED + 47) == (PING,)
        assert connection.tick(OPENED + 47) == ()
        assert connection.next_tick == OPENED + 52

    def test_silence_ends_exactly_at_its_deadline(self) -> None:
        """20 s after the last sign of life, to the moment, and not on the raster of the pings."""
        connection = authorised()
        connection.text_received("pong={}", OPENED + 1.25)
        for _ in range(4):
            assert connection.tick(connection.next_tick) == (PING,)
        assert connection.next_tick == OPENED + 21.25
        assert closed_by(connection.tick(OPENED + 21.25)) is CloseCode.PONG_TIMEOUT

    def test_ping_frames_of_the_websocket_layer_count(self) -> None:
        """IOS keeps itself alive with nothing else."""
        connection = authorised(ping_interval_s=1000)
        connection.heard(OPENED + 19)
        assert connection.tick(OPENED + 38.9) == ()
        assert closed_by(connection.tick(OPENED + 39)) is CloseCode.PONG_TIMEOUT

    def test_a_late_tick_closes_rather_than_pings(self) -> None:
        """When both are due, nobody is pinged who has been silent for too long."""
        assert closed_by(authorised().tick(OPENED + 60)) is CloseCode.PONG_TIMEOUT

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.floats(0, 8), max_size=20), st.floats(0, 1e9))
    def test_a_tick_in_time_always_does_something(self, pauses: list[float], opened_at: float) -> None:
        """No timer fires for nothing, so a shell that follows next_tick never spins."""
        connection = SignalConnection(opened_at)
        connection.authorised(AUTH, "u", opened_at)
        now = opened_at
        for pause in pauses:
            now += pause
            while connection.next_tick <= now:
                due = connection.next_tick
                assert connection.tick(due)
                assert connection.next_tick > due
            connection.heard(now)


class TestViolations:
    @pytest.mark.parametrize("state", [State.CONNECTED, State.AUTHORISED])
    def test_binary_frames_and_frames_without_equals_close(self, state: State) -> None:
        """Both close the connection with their own code, before and after auth."""
        assert closed_by(in_state(state).binary_received(OPENED)) is CloseCode.UNSUPPORTED_DATA
        assert closed_by(in_state(state).text_received("ping", OPENED)) is CloseCode.INVALID_FRAME
        assert closed_by(in_state(state).text_received("", OPENED)) is CloseCode.INVALID_FRAME

    @pytest.mark.parametrize("state", [State.CONNECTED, State.AUTHORISED])
    def test_flooding_closes(self, state: State) -> None:
        """2000 messages may come at once, pings included; the next one closes."""
        connection = in_state(state)
        for _ in range(2000):
            connection.text_received("ping={}", OPENED)
            assert connection.state is state
        assert closed_by(connection.text_received("ping={}", OPENED)) is CloseCode.POLICY_VIOLATION

    def test_a_steady_stream_within_the_rate_may_go_on(self) -> None:
        """50 messages a second are fine for ever, also after the burst is used up."""
        connection = authorised(messages_per_s=50, burst=2)
        for n in range(500):
            assert connection.text_received("ping={}", OPENED + n / 50) == (PONG,)

    def test_bytes_count_beside_messages(self) -> None:
        """Few long messages are a flood as many short ones are; non-ASCII text counts as UTF-8."""
        connection = authorised(burst_bytes=100, bytes_per_s=10, max_message_bytes=60)
        assert connection.text_received("x={" + "é" * 23 + "}", OPENED) == ()
        assert connection.text_received("ping={}", OPENED) == (PONG,)
        assert connection.text_received("x={" + "e" * 46 + "}", OPENED + 0.8) == ()
        assert closed_by(connection.text_received("ping={}", OPENED + 0.8)) is CloseCode.POLICY_VIOLATION

    def test_one_message_of_the_longest_is_never_a_flood(self) -> None:
        """However small the burst is."""
        connection = authorised(burst_bytes=1, bytes_per_s=10, max_message_bytes=60)
        assert connection.text_received("x={" + "e" * 56 + "}", OPENED) == ()
        assert connection.text_received("x={" + "e" * 56 + "}", OPENED + 6) == ()

    def test_control_frames_count_as_messages(self) -> None:
        """They are a sign of life, and a flood if there are too many."""
        connection = authorised(burst=2)
        assert connection.control_frame_received(OPENED + 1) == ()
        assert connection.last_heard == OPENED + 1
        assert connection.control_frame_received(OPENED + 1) == ()
        assert closed_by(connection.control_frame_received(OPENED + 1)) is CloseCode.POLICY_VIOLATION

    def test_a_pause_refills_no_more_than_the_burst(self) -> None:
        """Long silence earns no more than one burst."""
        connection = authorised(burst=3)
        outputs = [connection.text_received("ping={}", OPENED + 15) for _ in range(4)]
        assert outputs[:3] == [(PONG,)] * 3
        assert closed_by(outputs[3]) is CloseCode.POLICY_VIOLATION


class TestPause:
    """The process was stopped: what came meanwhile lies in the socket."""

    def test_our_pause_is_no_silence(self) -> None:
        """The client has as much time as it had before."""
        connection = authorised()
        connection.paused(22)
        assert connection.tick(OPENED + 41.9) != (
            Close(CloseCode.PONG_TIMEOUT, "pong timeout", framed=False),
        )
        assert connection.state is State.AUTHORISED
        assert closed_by(connection.tick(OPENED + 42)) is CloseCode.PONG_TIMEOUT

    def test_nor_does_it_count_for_who_has_yet_to_authorise(self) -> None:
        """Five seconds in which somebody listens."""
        connection = connected()
        connection.paused(22)
        assert connection.tick(OPENED + 26.9) == ()
        assert closed_by(connection.tick(OPENED + 27)) is CloseCode.POLICY_VIOLATION


class TestClosed:
    @pytest.mark.parametrize("announces", [False, True])
    @pytest.mark.parametrize("code", CloseCode)
    def test_the_server_can_close(self, code: CloseCode, announces: bool) -> None:
        """A frame carries code and reason, unless the client could not stand it and should come back."""
        connection = authorised()
        if announces:
            connection.text_received('announce={"capabilities":["seats"]}', OPENED)
        framed = announces or code is not CloseCode.SERVICE_RESTART
        assert connection.close(code) == (Close(code, code.reason, framed=framed),)

    @pytest.mark.parametrize("capabilities", ['["seats"]', '["what comes later"]'])
    def test_who_has_announced_sees_a_frame_for_silence(self, capabilities: str) -> None:
        """Whatever was announced, the app is newer than those that do not survive a close frame."""
        connection = authorised()
        connection.text_received(f'announce={{"capabilities":{capabilities}}}', OPENED)
        assert connection.tick(OPENED + 60) == (Close(CloseCode.PONG_TIMEOUT, "pong timeout"),)

    @pytest.mark.parametrize("body", ["{}", '{"capabilities":[]}', '{"capabilities":7}'])
    def test_who_announces_nothing_sees_none(self, body: str) -> None:
        """An empty announcement is none."""
        connection = authorised()
        connection.text_received(f"announce={body}", OPENED)
        assert connection.tick(OPENED + 60) == (Close(CloseCode.PONG_TIMEOUT, "pong timeout", framed=False),)

    def test_who_is_late_to_authorise_sees_none(self) -> None:
        """Nobody has announced anything by then."""
        late = Close(CloseCode.POLICY_VIOLATION, "not authorised in time", framed=False)
        assert connected().tick(OPENED + 60) == (late,)

    def test_who_floods_sees_a_frame_even_before_auth(self) -> None:
        """It shares its code with being late; its client should not come back."""
        connection = connected(burst=1)
        outputs = [connection.text_received("ping={}", OPENED) for _ in range(2)]
        assert outputs[1] == (Close(CloseCode.POLICY_VIOLATION, "too many messages"),)

    def test_nothing_has_an_effect_afterwards(self) -> None:
        """Every input to a closed connection gives nothing and leaves all as it was."""
        connection = in_state(State.CLOSED)
        later = OPENED + 999
        assert connection.text_received('auth={"token":"t"}', later) == ()
        assert connection.text_received("no frame", later) == ()
        assert connection.binary_received(later) == ()
        assert connection.heard(later) == ()
        assert connection.tick(later) == ()
        assert connection.authorised(AUTH, "v", later) == ()
        assert connection.refused(AUTH, SignalCode.TOKEN_INVALID) == ()
        assert connection.close(CloseCode.NORMAL) == ()
        assert (connection.state, connection.user_id, connection.last_heard) == (State.CLOSED, "u", OPENED)
        assert connection.next_tick == math.inf

    def test_a_token_that_is_resolved_too_late_does_not_revive(self) -> None:
        """If the deadline passed while the token was looked up, the connection stays closed and nobody's."""
        connection = connected()
        connection.text_received('auth={"token":"t"}', OPENED + 4.9)
        connection.tick(OPENED + 5)
        assert connection.authorised(AUTH, "u", OPENED + 5.1) == ()
        assert (connection.state, connection.user_id) == (State.CLOSED, None)

    def test_close_codes_are_the_documented_ones(self) -> None:
        """Clients know the codes by number; reasons fit into a close frame."""
        assert {code.value for code in CloseCode} == {1000, 1003, 1007, 1008, 1009, 1012, 4001, 4002, 4003}
        assert all(0 < len(code.reason.encode()) <= 123 for code in CloseCode)


def test_limits_must_be_above_zero() -> None:
    """A limit of zero is a mistake of configuration."""
    with pytest.raises(ValueError, match="ping_interval_s"):
        ConnectionLimits(ping_interval_s=0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["ping={}", "pong=", "auth={}", "disconnect={}", 'start-pk={"pkRoomID":"r"}', "x", "?=", "auth=x"]
        )
        | st.text(max_size=20),
        max_size=12,
    )
)
def test_no_conversation_breaks_the_protocol(frames: list[str]) -> None:
    """Whatever a client sends, outputs are defined and nothing follows a close."""
    connection = connected()
    ended = False
    for frame in frames:
        outputs = connection.text_received(frame, OPENED)
        assert not (ended and outputs)
        if outputs and isinstance(outputs[0], Authenticate):
            connection.authorised(outputs[0].request, "u", OPENED)
        ended = ended or any(isinstance(output, Close | Leave) for output in outputs)
        assert (connection.state is State.CLOSED) == ended
