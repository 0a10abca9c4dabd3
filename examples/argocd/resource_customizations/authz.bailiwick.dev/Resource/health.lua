-- Health of an object of authz.bailiwick.dev. All eight kinds have the same shape of status, so they share this script.
-- The status follows kstatus: observedGeneration, Ready, and Stalled only while nothing but a person can mend it.

-- Settled: these grant nothing, as declared, and nothing is under way. Progressing would never end, and Degraded
-- would call a declared end, or a declared precedence, a fault.
local settled = { Expired = true, Superseded = true }

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end
local ready, stalled = conditions.Ready, conditions.Stalled

if ready == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "waiting for the operator" }
end
if obj.metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = ready.message }
end
if stalled ~= nil and stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.status == "True" or (ready.status == "False" and settled[ready.reason]) then
  return { status = "Healthy", message = ready.message }
end
if ready.status == "False" and ready.reason == "Suspended" then
  return { status = "Suspended", message = ready.message }
end
return { status = "Progressing", message = ready.message }
