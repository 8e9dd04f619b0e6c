"""The same backend in Python: its own HTTP server, OpenTelemetry's SDK and its exporter over HTTP."""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("orders")


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.path.startswith("/api/"):
            tag = os.environ["PAGE_TAG"]
            self.answer(200, "text/html", f"<!doctype html><title>Orders</title>{tag}<h1>Orders</h1>")
            return
        context = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        path = self.path.split("?")[0]
        with tracer.start_as_current_span(f"GET {path}", context=context, kind=SpanKind.SERVER) as server:
            server.set_attributes({"http.request.method": "GET", "url.path": self.path})
            if self.path.startswith("/api/orders"):
                self.orders()
            else:
                self.pay()

    def orders(self):
        attributes = {
            "db.system.name": "postgresql",
            "db.query.text": "SELECT * FROM orders WHERE customer = 'Ann'",
            "db.password": "hunter2",
        }
        with tracer.start_as_current_span("SELECT orders", kind=SpanKind.CLIENT, attributes=attributes):
            time.sleep(0.03)
        self.answer(200, "application/json", "[]")

    def pay(self):
        with tracer.start_as_current_span("<img src=x onerror=alert(1)>") as span:
            time.sleep(0.01)
            span.set_status(Status(StatusCode.ERROR, "card declined"))
        self.answer(502, "text/plain", "no")


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Orders)


def stop(*_):
    threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, stop)
print("listening", flush=True)
server.serve_forever()
provider.shutdown()
sys.exit(0)
