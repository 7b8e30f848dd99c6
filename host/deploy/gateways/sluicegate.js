// Puts a request to Sluicegate and lets it go on, or answers what the gate answered. For `nginx-njs.conf`, which says what
// goes where. The body never becomes text here (UTF-16 would not survive that): the subrequest takes the client's own.

// What the gate may answer a client with; all else means that there is no verdict.
const refusals = [400, 403, 413, 422];

async function judge(r) {
  const answer = await r.subrequest("/_sluicegate/gate", { method: r.method });
  const decision = answer.headersOut["x-sluicegate-decision"];
  r.variables.sluicegate_decision = decision || "";
  if (answer.status === 200) {
    r.internalRedirect("@flink");
    return;
  }
  if (decision) {
    r.headersOut["X-Sluicegate-Decision"] = decision;
  }
  if (refusals.includes(answer.status)) {
    r.headersOut["Content-Type"] = answer.headersOut["content-type"] || "application/json";
    r.return(answer.status, answer.responseBuffer);
    return;
  }
  r.internalRedirect("@unanswered");
}

export default { judge };
